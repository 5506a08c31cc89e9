import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEndpoint } from './endpoint.ts'
import { Unreachable, type RedisEngine } from './engine.ts'

type Endpoint = Awaited<ReturnType<typeof startEndpoint>>

const headers = { authorization: 'Bearer t' }
const log: string[] = []
const start = (run: RedisEngine['run'], drainMs?: number) => {
  const engine: RedisEngine = { run, transact: run, close: async () => undefined }
  return startEndpoint({ engine, token: 't', log: (line) => log.push(line), ...(drainMs && { drainMs }) })
}

const gated = () => {
  const started = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  const run: RedisEngine['run'] = async () => {
    started.resolve()
    await finished.promise
    return [1]
  }
  return { run, started: started.promise, finish: finished.resolve }
}

describe('the HTTP endpoint', () => {
  let endpoint: Endpoint
  beforeAll(async () => {
    endpoint = await start(async ([command]) => {
      if (command?.[0] === 'gone') throw new Unreachable('there is no connection')
      if (command?.[0] === 'odd') throw new Error('a defect')
      return [1]
    })
  })
  afterAll(() => endpoint.close())

  it('answers 503 while Redis cannot be asked, and logs only what it did not foresee', async () => {
    const gone = await fetch(`${endpoint.url}/gone`, { headers })
    expect(gone.status).toBe(503)
    expect(await gone.json()).toEqual({ error: 'ERR Redis cannot be reached: there is no connection' })
    expect((await fetch(`${endpoint.url}/odd`, { headers })).status).toBe(503)
    expect(log).toEqual(['redis: a defect'])
  })

  it('takes no notice of a client that goes away while it sends', async () => {
    const lines = log.length
    const { port } = new URL(endpoint.url)
    const leaving = request({ port, host: '127.0.0.1', path: '/set/k', method: 'POST', headers })
    leaving.on('error', () => undefined)
    await new Promise((resolve) => leaving.write('begin', resolve))
    leaving.destroy()
    expect((await fetch(`${endpoint.url}/ping`, { headers })).status).toBe(200)
    expect(log).toHaveLength(lines)
  })

  it('lets a request in flight end before it closes, and takes no more', async () => {
    const slow = gated()
    const own = await start(slow.run)
    const answer = fetch(`${own.url}/slow`, { headers })
    await slow.started
    const closed = own.close()
    await expect(fetch(`${own.url}/more`, { headers })).rejects.toThrow('fetch failed')
    slow.finish()
    expect((await answer).status).toBe(200)
    await closed
  })

  it('drops a request that does not end in time', async () => {
    const stuck = gated()
    const own = await start(stuck.run, 50)
    const outcome = expect(fetch(`${own.url}/stuck`, { headers })).rejects.toThrow('fetch failed')
    await stuck.started
    await own.close()
    await outcome
  })
})
