import { describe, expect, it } from 'vitest'
import { LaterError } from '../shared/later-error.ts'
import { createScanner, type Dial } from './scanner.ts'

const never = new Promise<never>(() => undefined)

type Script = {
  opened?: Promise<unknown>
  /** What it says once it has so many bytes. */
  answer?: { after: number; text: string }
  /** After so many bytes it takes no more: for ever, or with an error. */
  full?: { after: number; error?: Error }
}

/** The other end of a connection. */
const play = (script: Script) => {
  const told = { bytes: 0, closed: 0, most: 0, dialled: [] as unknown[] }
  const connect: Dial = (address, options) => {
    told.dialled.push([address, options])
    let bytes = 0
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const speaker = writable.getWriter()
    const say = (text: string) => void speaker.write(new TextEncoder().encode(text)).catch(() => undefined)
    return {
      opened: script.opened ?? Promise.resolve(),
      readable,
      writable: new WritableStream<Uint8Array>({
        async write(chunk) {
          if (script.full && bytes >= script.full.after) {
            if (script.full.error) throw script.full.error
            await never
          }
          bytes += chunk.length
          told.bytes += chunk.length
          told.most = Math.max(told.most, chunk.length)
          if (script.answer && bytes >= script.answer.after) say(script.answer.text)
        },
      }),
      close: () => {
        told.closed += 1
        return Promise.resolve()
      },
    }
  }
  return { connect, told }
}

const contentOf = (size: number, pieces = 1) => ({
  body: new ReadableStream<Uint8Array>({
    start(controller) {
      for (let n = 0; n < pieces; n++) controller.enqueue(new Uint8Array(size / pieces))
      controller.close()
    },
  }),
  size,
})

const patience = { connect: 50, send: 50, answer: 50, excuse: 50 }

const scanWith = async (script: Script, size = 10, url = 'tcp://clamd.internal:3310') => {
  const { connect, told } = play(script)
  const scan = createScanner({ url, network: { connect }, patience }).scan
  const outcome = await scan(contentOf(size), new AbortController().signal).catch((error: unknown) => error)
  return { outcome, told }
}

/** Command, length and bytes of the only chunk, and the length 0. */
const whole = 10 + 4 + 10 + 4

describe('a scanner', () => {
  it('is called by its name, with TLS where the URL says so, and hung up on', async () => {
    const answer = { after: whole, text: 'stream: OK\0' }
    const { outcome, told } = await scanWith({ answer })
    expect(outcome).toEqual({ status: 'clean' })
    expect(told.closed).toBe(1)
    expect(told.dialled).toEqual([
      [
        { hostname: 'clamd.internal', port: 3310 },
        { secureTransport: 'off', allowHalfOpen: false },
      ],
    ])
    const secure = await scanWith({ answer }, 10, 'tls://[2001:db8::7]:3311')
    expect(secure.told.dialled).toEqual([
      [
        { hostname: '2001:db8::7', port: 3311 },
        { secureTransport: 'on', allowHalfOpen: false },
      ],
    ])
  })

  it('gets a large file in chunks of 64 KB', async () => {
    const { told } = await scanWith({ answer: { after: 1_000_000, text: 'stream: OK\0' } }, 1_000_000)
    expect(told.most).toBe(64 * 1024 + 4)
    expect(told.bytes).toBe(10 + 1_000_000 + 16 * 4 + 4)
  })

  const awayAlways: [string, Script][] = [
    ['cannot be reached', { opened: Promise.reject(new Error('refused')) }],
    ['cannot be reached', { opened: never }],
    ['gave no answer', {}],
    ['broke off', { full: { after: 20 } }],
    ['broke off', { full: { after: 0, error: new Error('reset') } }],
  ]
  for (const [, { opened }] of awayAlways) opened?.catch(() => undefined)

  it.each(awayAlways)('that %s is for later', async (what, script) => {
    const { outcome, told } = await scanWith(script)
    expect(outcome).toBeInstanceOf(LaterError)
    expect(outcome).toMatchObject({ message: `The scanner ${what}` })
    expect(told.closed).toBe(told.dialled.length)
  })

  it.each(['', 'stream: O', `${'x'.repeat(5_000)}`])(
    'that says %j without an end is for later',
    async (text) => {
      expect((await scanWith({ answer: { after: whole, text } })).outcome).toBeInstanceOf(LaterError)
    },
  )

  it('that breaks off on this file but answers a ping has failed on it, which counts', async () => {
    const script = { answer: { after: 6, text: 'PONG\0' }, full: { after: 20, error: new Error('reset') } }
    // The first connection reads the same text, as an answer that is no verdict.
    const { outcome } = await scanWith(script)
    expect(outcome).toBeInstanceOf(Error)
    expect(outcome).not.toBeInstanceOf(LaterError)
  })

  it('is listened to when it has enough before the end', async () => {
    const text = 'INSTREAM size limit exceeded. ERROR\0'
    const { outcome } = await scanWith(
      { answer: { after: 20, text }, full: { after: 20, error: new Error() } },
      200_000,
    )
    expect(String(outcome)).toContain('beyond a limit of the scanner')
  })
})
