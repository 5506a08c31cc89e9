import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createBreaches } from './breaches.ts'

const password = 'Warp-and-Weft-7'
const digest = createHash('sha1').update(password).digest('hex').toUpperCase()
const [prefix, suffix] = [digest.slice(0, 5), digest.slice(5)]

let close = () => {}
afterEach(() => close())

const serve = async (listener: RequestListener) => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  close = () => server.close().closeAllConnections()
  const address = server.address()
  const warnings: string[] = []
  const breaches = createBreaches({
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/range/`,
    log: { warn: (message) => void warnings.push(message) },
    timeoutMs: 200,
  })
  return { breaches, warnings }
}

const answering = (text: string): RequestListener => {
  return (_, response) => void response.end(text)
}

describe('a password', () => {
  it('is known when the rest of its hash is in the answer', async () => {
    const { breaches } = await serve(answering(`0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n${suffix}:42\r\n`))
    expect(await breaches.isBreached(password)).toBe(true)
    expect(await breaches.isBreached(`${password}!`)).toBe(false)
  })

  it('is not known by what only pads the answer', async () => {
    const { breaches } = await serve(answering(`${suffix}:0\r\n`))
    expect(await breaches.isBreached(password)).toBe(false)
  })

  it('leaves the house as five digits of its hash, and asks for padding', async () => {
    const asked: unknown[] = []
    const { breaches } = await serve((request, response) => {
      asked.push([request.method, request.url, request.headers['add-padding']])
      response.end('')
    })
    await breaches.isBreached(password)
    expect(asked).toEqual([['GET', `/range/${prefix}`, 'true']])
  })

  it.each<[string, RequestListener]>([
    ['fails', (_, response) => void response.writeHead(503).end()],
    ['says nothing in time', () => undefined],
    ['breaks the connection', (request) => void request.destroy()],
  ])('is admitted, and a warning logged, when the service %s', async (_, listener) => {
    const { breaches, warnings } = await serve(listener)
    expect(await breaches.isBreached(password)).toBe(false)
    expect(warnings).toEqual(['breached passwords could not be asked for'])
  })

  it('is asked about nowhere when the check is off', async () => {
    const { isBreached } = createBreaches({ url: undefined, log: { warn: () => undefined } })
    expect(await isBreached(password)).toBe(false)
  })
})
