import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../../dev/neon/listen.ts'

/** A port in front of another one that can be shut: then connections break, and new ones too. The port stays ours. */
export const startTcpGate = async (target: number) => {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  let isShut = false
  const server = createServer((client) => {
    if (isShut) return void client.destroy()
    const upstream = connect(target, '127.0.0.1')
    keep(client)
    keep(upstream)
    client.pipe(upstream).pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  const port = await listen(server)
  const shut = () => {
    isShut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    port,
    shut,
    open: () => void (isShut = false),
    async stop() {
      shut()
      server.close()
      await once(server, 'close')
    },
  }
}
