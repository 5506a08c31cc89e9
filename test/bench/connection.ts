import { once } from 'node:events'
import { connect } from 'node:net'

type Reply = { status: number; text: string }

/** Where the reply in `text` ends, undefined while it has not arrived. Bodies are JSON: no line break of theirs misleads. */
const endOf = (text: string): number | undefined => {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, head + 2))?.[1]
  if (length !== undefined)
    return text.length < head + 4 + Number(length) ? undefined : head + 4 + Number(length)
  const lastChunk = text.indexOf('\r\n0\r\n\r\n', head + 2)
  return lastChunk < 0 ? undefined : lastChunk + 7
}

/**
 * One kept HTTP/1.1 connection for requests that are bytes already. Much lighter than a real client, so that on two
 * cores the generator is not what is measured; bodies come as Latin-1.
 */
export const openConnection = async (port: number) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let text = ''
  let settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined

  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
    const end = endOf(text)
    if (end === undefined || settle === undefined) return
    const reply = { status: Number(text.slice(9, 12)), text: text.slice(0, end) }
    text = ''
    settle.resolve(reply)
  })
  const fail = (error: Error) => settle?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('The Worker closed the connection')))

  return {
    /** One at a time. */
    exchange: (request: Buffer): Promise<Reply> =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(request)
      }),
    close: () => socket.destroy(),
  }
}
