import { request } from 'node:http'
import { expect, it } from 'vitest'
import { onBothRedis, rest } from '../../test/support/redis-server.ts'

const NOT_AVAILABLE = 'ERR Command is not available'
const NOT_IN_REST = 'is not allowed in REST or it has a special context path'

onBothRedis("Upstash's REST API refuses", (redis) => {
  const { call, run, result } = rest(redis)

  it.each(['BLPOP', 'BRPOP', 'BZPOPMIN', 'WAIT', 'CONFIG', 'SHUTDOWN', 'DEBUG', 'ACL', 'REPLICAOF', 'SAVE'])(
    '%s: Upstash has it not',
    async (name) => {
      const { status, body } = await run([name, 'a', 1])
      expect([status, body.error]).toEqual([400, expect.stringContaining(`${NOT_AVAILABLE}: '${name}'`)])
    },
  )

  it.each(['SUBSCRIBE', 'monitor', 'MULTI', 'EXEC', 'WATCH', 'SELECT', 'CLIENT', 'AUTH', 'HELLO', 'QUIT'])(
    '%s: it is about a connection',
    async (name) => {
      const { status, body } = await run([name, 'a'])
      expect([status, body.error]).toEqual([400, `ERR Command "${name.toUpperCase()}" ${NOT_IN_REST}`])
    },
  )

  it('the parts of commands that block or rule', async () => {
    expect((await run(['SCRIPT', 'kill'])).body.error).toContain("'SCRIPT KILL'")
    expect((await run(['FUNCTION', 'KILL'])).body.error).toContain("'FUNCTION KILL'")
    expect((await run(['XREAD', 'block', 0, 'STREAMS', 's', '$'])).body.error).toContain("'XREAD'")
    expect((await call('/subscribe/channel')).body.error).toContain(NOT_IN_REST)
    expect((await call('/monitor')).body.error).toContain(NOT_IN_REST)
  })

  it.each([
    ['no JSON', '/', '{', 'ERR failed to parse command'],
    ['no body', '/', '', 'ERR failed to parse command'],
    ['no array', '/', '{}', 'expected JSON array'],
    ['no command', '/', '[]', 'ERR empty command'],
    ['an empty name', '/', '[""]', 'ERR empty command'],
    ['null', '/', '["SET", "k", null]', 'ERR null args are not supported'],
    ['an array in it', '/', '["SET", "k", []]', 'ERR unsupported arg type: "["'],
    ['an object in it', '/pipeline', '[["SET", "k", {}]]', 'ERR unsupported arg type: "{"'],
    ['a pipeline of texts', '/pipeline', '["GET"]', 'expected JSON array'],
    ['an empty pipeline', '/pipeline', '[]', 'ERR empty pipeline request'],
    ['a broken escape', '/get/%ff', '', 'percent-encoded'],
    ['an empty name in the path', '//get', '', 'ERR empty command'],
  ])('a request with %s', async (_name, path, body, error) => {
    expect(await call(path, { body })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining(error) },
    })
  })

  it('other methods', async () => {
    expect((await call('/get/k', { method: 'DELETE' })).status).toBe(405)
  })

  it('a missing or wrong token, and takes it from the query too', async () => {
    const error = { error: 'WRONGPASS invalid or missing auth token' }
    const { restUrl, token } = redis()
    expect(await call('/get/k', { headers: { authorization: 'Bearer x' } })).toMatchObject({
      status: 401,
      body: error,
    })
    expect((await fetch(`${restUrl}/get/k`)).status).toBe(401)
    expect((await fetch(`${restUrl}/get/k?_token=${token}`)).status).toBe(200)
    expect((await fetch(`${restUrl}/get/k?_token=x`)).status).toBe(401)
  })

  it('a page that rebound its name to this machine', async () => {
    const { port } = new URL(redis().restUrl)
    const headers = { host: 'evil.example', authorization: `Bearer ${redis().token}` }
    const status = new Promise((resolve) => {
      request({ port, host: '127.0.0.1', path: '/ping', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).end()
    })
    expect(await status).toBe(403)
  })

  it('a request over 10 MiB', async () => {
    const { status, body } = await call('/set/large', { body: 'x'.repeat(10 * 1024 * 1024 + 1) })
    expect([status, body.error]).toEqual([
      400,
      'ERR max request size exceeded. Limit: 10485760 bytes, Actual: 10485761 bytes',
    ])
    expect(await result('EXISTS', 'large')).toBe(0)
  })
})
