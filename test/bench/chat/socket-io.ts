import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { z } from 'zod'
import { openRawSocket, type RawSocket } from './raw-socket.ts'
import { createRoomLoad, type Dialect, type RoomLoad } from './room-load.ts'

const Listening = z.object({ port: z.number() })

export const startSocketIo = async () => {
  const child: ChildProcess = fork(join(import.meta.dirname, 'rival.ts'))
  const [said] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('socket.io ended before it listened'))),
  ])
  return { ...Listening.parse(said), pid: child.pid, stop: () => void child.kill('SIGKILL') }
}

const codeOf = (character: string): number => character.charCodeAt(0)

/**
 * Packets of Engine.IO 4 and Socket.IO 5: https://socket.io/docs/v4/socket-io-protocol/. Their one-letter kinds come first:
 * `42` an event, `43` an acknowledgement, `2` a ping.
 */
const dialect: Dialect = {
  send: (clientId, content) =>
    `42${clientId.slice(1)}["send",{"clientId":"${clientId}","content":"${content}"}]`,
  acks: (bytes, from) => (bytes[from] === codeOf('4') && bytes[from + 1] === codeOf('3') ? 1 : 0),
  answer: (bytes, from, to) => (to - from === 1 && bytes[from] === codeOf('2') ? '3' : undefined),
}

/** Joined by an event that is acknowledged, as a client library would do it. */
export const openRoom = async (port: number, members: number, writers: number): Promise<RoomLoad> => {
  const load = createRoomLoad(dialect, writers)
  for (let member = 0; member < members; member++) {
    const opened = Promise.withResolvers<RawSocket>()
    const joined = Promise.withResolvers<void>()
    // The first packet may come with the answer to the upgrade.
    const say = (text: string) => void opened.promise.then((socket) => socket.say(text))
    let listen = (bytes: Buffer, from: number, to: number): void => {
      const text = bytes.toString('utf8', from, to)
      if (text.startsWith('0{')) say('40')
      else if (text.startsWith('40')) say(`420["join","room of ${members}"]`)
      else if (text.startsWith('430')) joined.resolve()
    }
    const socket = await openRawSocket({
      ...{ port, path: '/socket.io/?EIO=4&transport=websocket', headers: {} },
      onText: (bytes, from, to) => listen(bytes, from, to),
    })
    load.add(socket)
    opened.resolve(socket)
    await joined.promise
    listen = load.hear(member)
  }
  return load
}
