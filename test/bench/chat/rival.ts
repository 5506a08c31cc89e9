// A process of its own for what the rooms are compared with: socket.io with a room and an acknowledgement, as its documents
// show. It keeps nothing.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { z } from 'zod'

const Draft = z.object({ clientId: z.string(), content: z.string() })

const server = createServer()
const io = new Server(server, { transports: ['websocket'] })
const heads = new Map<string, number>()

io.on('connection', (socket) => {
  let room = ''
  const from = randomUUID()
  socket.on('join', async (name: string, done: () => void) => {
    room = name
    await socket.join(name)
    done()
  })
  socket.on('send', (draft: unknown, acknowledge: (ack: object) => void) => {
    const { clientId, content } = Draft.parse(draft)
    const seq = (heads.get(room) ?? 0) + 1
    heads.set(room, seq)
    const [id, at] = [randomUUID(), new Date().toISOString()]
    io.to(room).emit('message', { seq, id, clientId, from, at, content })
    acknowledge({ clientId, id, seq, at })
  })
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
process.on('disconnect', () => process.exit())
