import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { listen } from './neon/listen.ts'
import { findScanner, scannerName } from './scanner.ts'

let server: Server | undefined

afterEach(() => server?.close())

const serve = async (onConnect: (socket: Socket) => void): Promise<number> => {
  server = createServer(onConnect)
  return await listen(server)
}

describe('the scanner of the development stack', () => {
  it('is a clamd that answers', async () => {
    const port = await serve((socket) => socket.on('data', () => socket.end('PONG\0')))
    expect(await findScanner(port)).toBe(`tcp://127.0.0.1:${port}`)
  })

  it('is off where nothing, or something else, or nobody in time answers', async () => {
    const other = await serve((socket) => socket.on('data', () => socket.end('HTTP/1.1 400')))
    expect(await findScanner(other)).toBe('off')
    server?.close()
    expect(await findScanner(other)).toBe('off')
    const silent = await serve((socket) => socket.on('error', () => undefined))
    expect(await findScanner(silent)).toBe('off')
  })

  it('is named in the table', () => {
    expect(scannerName('off')).toBe('off: files are not scanned, and marked as skipped')
    expect(scannerName('tcp://127.0.0.1:3310')).toBe('clamd, tcp://127.0.0.1:3310')
  })
})
