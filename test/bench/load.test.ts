import { createServer, type RequestListener } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { listen } from '../../dev/neon/listen.ts'
import { encode, runLoad } from './load.ts'

let close = () => {}
afterEach(() => close())

const serve = async (answer: RequestListener): Promise<number> => {
  const server = createServer(answer)
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  return await listen(server)
}

const next = () => encode({ method: 'GET', path: '/' })

it('sends as many requests as it is told, and has a latency of each', async () => {
  let seen = 0
  const port = await serve((_, res) => res.end(String((seen += 1))))
  const { latencies } = await runLoad({ port, connections: 3, requests: 20, seconds: 10, next })
  expect([seen, latencies.length]).toEqual([20, 20])
})

it('reads chunks to their end before it sends the next one', async () => {
  const port = await serve((_, res) => {
    res.write('a')
    setTimeout(() => res.end('b'), 5)
  })
  const { latencies } = await runLoad({ port, connections: 1, requests: 3, seconds: 10, next })
  expect(latencies).toHaveLength(3)
})

it.each([404, 429, 500, 503])('fails when one answer of many is a %i', async (status) => {
  let seen = 0
  const port = await serve((_, res) => res.writeHead((seen += 1) === 10 ? status : 200).end('{}'))
  const run = runLoad({ port, connections: 2, requests: 20, seconds: 10, next })
  await expect(run).rejects.toThrow(`Expected 200, got: HTTP/1.1 ${status}`)
})

it('fails when the connection ends without an answer', async () => {
  const port = await serve((req) => req.socket.destroy())
  await expect(runLoad({ port, connections: 1, requests: 1, seconds: 10, next })).rejects.toThrow()
})

it('comes from many addresses, as limits see them', () => {
  const addressOf = () => /^CF-Connecting-IP: (.+)\r$/m.exec(next().toString())?.[1]
  expect(new Set(Array.from({ length: 64 }, addressOf)).size).toBe(64)
})
