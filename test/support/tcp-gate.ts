import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../../dev/neon/listen.ts'

/** A port in front of another one that can be shut: then connections break, and new ones are refused. */
export const startTcpGate = async (target: number) => {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    keep(client)
    keep(upstream)
    client.pipe(upstream).pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  const port = await listen(server)
  const shut = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    port,
    shut,
    open: () => listen(server, port),
    stop: async () => void (server.listening && (await shut())),
  }
}
