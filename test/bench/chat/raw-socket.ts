import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'

/** What came is read where it lies: `from` to `to` of bytes that are overwritten by the next read. */
export type OnText = (bytes: Buffer, from: number, to: number) => void

type Options = { port: number; path: string; headers: Record<string, string>; onText: OnText }

/** All sockets read into it in turn: bytes are worked through before anyone else reads. */
const shared = Buffer.alloc(262_144)

const text = 1
const close = 8

/** A masked text frame as it goes over the wire; a mask of zeros leaves the text as it is (RFC 6455, 5.3). */
export const frameOf = (payload: string): Buffer => {
  const length = Buffer.byteLength(payload)
  const head = length < 126 ? 6 : 8
  const frame = Buffer.alloc(head + length)
  frame[0] = 0x80 | text
  frame[1] = 0x80 | (length < 126 ? length : 126)
  if (length >= 126) frame.writeUInt16BE(length, 2)
  frame.write(payload, head)
  return frame
}

/** Reads frames out of a stream of bytes; what is not whole yet waits in a copy. */
export const createReader = (onText: OnText, onClose: (code: number) => void) => {
  let rest: Buffer | undefined

  return (chunk: Buffer): void => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    rest = undefined
    let at = 0
    while (at + 2 <= bytes.length) {
      const short = bytes[at + 1] ?? 0
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + head > bytes.length) break
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      const from = at + head
      const to = from + length
      if (to > bytes.length) break
      const opcode = (bytes[at] ?? 0) & 0x0f
      if (opcode === text) onText(bytes, from, to)
      if (opcode === close) onClose(length < 2 ? 1005 : bytes.readUInt16BE(from))
      at = to
    }
    if (at < bytes.length) rest = Buffer.from(bytes.subarray(at))
  }
}

/** Until the empty line; a frame that came with it is what follows. */
const upgraded = async (head: () => string, socket: Socket): Promise<void> => {
  while (!head().includes('\r\n\r\n')) {
    await Promise.race([
      once(socket, 'head'),
      once(socket, 'close').then(() => Promise.reject(new Error('No answer to the upgrade'))),
    ])
  }
  if (!head().startsWith('HTTP/1.1 101')) throw new Error(`Expected 101: ${head().slice(0, 1_000)}`)
}

/**
 * A WebSocket without what a real client does for its user: of a room of 300 one process reads a million deliveries a
 * second, so that on two cores the generator is not what is measured. Both sides of the bench are read by it.
 */
export const openRawSocket = async ({ port, path, headers, onText }: Options) => {
  let head: string | undefined = ''
  let closed: number | undefined
  const read = createReader(onText, (code) => (closed = code))
  const take = (chunk: Buffer): void => {
    if (head === undefined) return read(chunk)
    head += chunk.toString('latin1')
    const end = head.indexOf('\r\n\r\n')
    if (end >= 0 && head.startsWith('HTTP/1.1 101') && head.length > end + 4) {
      const more = Buffer.from(head.slice(end + 4), 'latin1')
      head = head.slice(0, end + 4)
      queueMicrotask(() => read(more))
    }
    socket.emit('head')
  }
  const socket = connect({
    ...{ port, host: '127.0.0.1', noDelay: true },
    onread: {
      buffer: shared,
      callback: (length, buffer) => {
        take(Buffer.from(buffer.buffer, buffer.byteOffset, length))
        return true
      },
    },
  })
  let failure: Error | undefined
  socket.on('error', (error) => (failure = error))
  await once(socket, 'connect')
  const lines = Object.entries({
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`)
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  await upgraded(() => head ?? '', socket)
  head = undefined

  return {
    say: (payload: string): void => void socket.write(frameOf(payload)),
    /** Why it is of no use any more, undefined while it is open. */
    ended: (): string | undefined =>
      failure?.message ?? (closed === undefined ? undefined : `closed with ${closed}`),
    close: () => socket.destroy(),
  }
}

export type RawSocket = Awaited<ReturnType<typeof openRawSocket>>
