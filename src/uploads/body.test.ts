import { describe, expect, it, vi } from 'vitest'
import { bytesOf, peek } from './body.ts'

/** A body whose chunks come when the test says so. */
const openBody = ({ type }: { type?: 'bytes' } = {}) => {
  const cancelled = vi.fn()
  let controller!: ReadableStreamDefaultController<Uint8Array> | ReadableByteStreamController
  const source = { start: (given: typeof controller) => void (controller = given), cancel: cancelled }
  return {
    body: type === undefined ? new ReadableStream(source) : new ReadableStream({ ...source, type }),
    cancelled,
    send: (...bytes: number[]) => controller.enqueue(Uint8Array.from(bytes)),
    close: () => {
      controller.close()
      // Whoever waits with a buffer of his own gets it back.
      if ('byobRequest' in controller) controller.byobRequest?.respond(0)
    },
    breakOff: () => controller.error(new Error('connection lost')),
  }
}

const all = async (source: AsyncIterable<Uint8Array>): Promise<number[]> => {
  const bytes: number[] = []
  for await (const chunk of source) bytes.push(...chunk)
  return bytes
}

describe.each([
  ['of bytes', { type: 'bytes' }],
  ['of chunks', {}],
] as const)('a body, a stream %s', (_, kind) => {
  it('is read to its end', async () => {
    const { body, send, close } = openBody(kind)
    send(1, 2)
    send(3)
    close()
    expect(await all(bytesOf(body, { reuse: false }))).toEqual([1, 2, 3])
  })

  it('that says nothing for too long is given up, and its sender told', async () => {
    const { body, send, cancelled } = openBody(kind)
    const bytes = bytesOf(body, { reuse: false, silence: 50 })
    send(1)
    expect((await bytes.next()).value).toEqual(Uint8Array.of(1))
    await expect(bytes.next()).rejects.toMatchObject({
      code: 'UPLOAD_STALLED',
      message: 'The body came too slowly',
    })
    expect(cancelled).toHaveBeenCalledOnce()
  })

  it('that keeps on coming is not, however long it takes in all', async () => {
    const { body, send, close } = openBody(kind)
    let sent = 0
    const timer = setInterval(() => {
      send(1)
      if (++sent < 20) return
      clearInterval(timer)
      close()
    }, 20)
    // Less than all of them take, more than a busy machine holds up one.
    expect(await all(bytesOf(body, { reuse: false, silence: 200 }))).toHaveLength(20)
  })

  it('that breaks off says so', async () => {
    const { body, send, breakOff } = openBody(kind)
    const bytes = bytesOf(body, { reuse: false })
    send(1)
    await bytes.next()
    breakOff()
    await expect(bytes.next()).rejects.toMatchObject({
      code: 'UPLOAD_STALLED',
      message: 'The body broke off',
    })
  })

  it('is cancelled by whoever wants no more of it', async () => {
    const { body, send, cancelled } = openBody(kind)
    send(1)
    const bytes = bytesOf(body, { reuse: false })
    await bytes.next()
    await bytes.return(undefined)
    expect(cancelled).toHaveBeenCalledOnce()
  })
})

describe('a look at the first bytes', () => {
  it('loses none of them', async () => {
    const { body, send, close } = openBody()
    send(1, 2)
    send(3, 4)
    send(5)
    close()
    const { head, whole } = await peek(bytesOf(body, { reuse: false }), 3)
    expect([...head]).toEqual([1, 2, 3, 4])
    expect(await all(whole)).toEqual([1, 2, 3, 4, 5])
  })

  it('is content with fewer', async () => {
    const { body, send, close } = openBody()
    send(1)
    close()
    const { head, whole } = await peek(bytesOf(body, { reuse: false }), 3)
    expect([...head]).toEqual([1])
    expect(await all(whole)).toEqual([1])
  })
})
