import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { onBothRedis, rest } from '../../test/support/redis-server.ts'

const NOT_AVAILABLE = 'ERR Command is not available'
const NOT_IN_REST = 'is not allowed in REST or it has a special context path'

onBothRedis("Upstash's REST API", (redis) => {
  const { call, run, result, batch } = rest(redis)

  describe('a command', () => {
    it('is the body of POST /', async () => {
      const { status, body, headers } = await run(['SET', 'k', 'v', 'EX', 100])
      expect([status, body]).toEqual([200, { result: 'OK' }])
      expect(headers.get('content-type')).toContain('application/json')
      expect(headers.get('upstash-sync-token')).toBe('0')
      expect(await result('GET', 'k')).toBe('v')
      expect(await result('ttl', 'k')).toBe(100)
      expect(await result('GET', 'none')).toBeNull()
    })

    it('may be the path, whatever the method', async () => {
      expect((await call('/set/foo/b%20a%2Fr/EX/100', { method: 'GET' })).body).toEqual({ result: 'OK' })
      expect((await call('/get/foo', { method: 'GET' })).body).toEqual({ result: 'b a/r' })
      expect((await call('/GET/foo')).body).toEqual({ result: 'b a/r' })
      expect((await call('/MGET/foo/none', { method: 'PUT' })).body).toEqual({ result: ['b a/r', null] })
      const head = await call('/get/foo', { method: 'HEAD' })
      expect([head.status, head.body]).toEqual([200, ''])
    })

    it('takes a body as its last argument, byte for byte, and the query as what follows it', async () => {
      const bytes = new Uint8Array([0, 255, 128, 13, 10])
      expect((await call('/set/bytes?EX=100&NX', { body: bytes })).body).toEqual({ result: 'OK' })
      expect((await call('/set/bytes?EX=100&NX', { body: bytes })).body).toEqual({ result: null })
      expect(await result('STRLEN', 'bytes')).toBe(5)
      expect(await result('TTL', 'bytes')).toBe(100)
      const { body } = await run(['GET', 'bytes'], true)
      expect(Buffer.from(body.result, 'base64')).toEqual(Buffer.from(bytes))
    })

    it('may have numbers and booleans in it', async () => {
      await run(['MSET', 'int', 42, 'float', 0.1, 'big', 1e21, 'yes', true])
      expect(await result('MGET', 'int', 'float', 'big', 'yes')).toEqual(['42', '0.1', '1e+21', 'true'])
    })

    it('fails with status 400 and what Redis says', async () => {
      await run(['SET', 'k', 'v'])
      expect(await run(['INCR', 'k'])).toMatchObject({
        status: 400,
        body: { error: 'ERR value is not an integer or out of range' },
      })
      expect((await run(['GET'])).body).toEqual({ error: "ERR wrong number of arguments for 'get' command" })
      expect((await run(['NOSUCH', 'secret'])).body.error).toMatch(/^ERR Command is not available: 'NOSUCH'/)
      expect((await run(['EVALSHA', '0'.repeat(40), 0])).body.error).toMatch(/^NOSCRIPT /)
    })
  })

  describe('encoding in base64', () => {
    const b64 = (text: string) => Buffer.from(text).toString('base64')

    it('is of all strings, at any depth, but not of an answer OK, numbers and null', async () => {
      expect((await run(['SET', 'k', 'OK'], true)).body.result).toBe('OK')
      expect((await run(['PING'], true)).body.result).toBe(b64('PONG'))
      expect((await run(['TYPE', 'k'], true)).body.result).toBe(b64('string'))
      expect((await run(['STRLEN', 'k'], true)).body.result).toBe(2)
      expect((await run(['GET', 'none'], true)).body.result).toBeNull()
      expect((await run(['SET', 'e', ''], true)).body.result).toBe('OK')
      expect((await run(['GET', 'e'], true)).body.result).toBe('')
      const nested = 'return {"OK", 1, {"ü", {false, "OK"}}}'
      expect((await run(['EVAL', nested, 0], true)).body.result).toEqual([
        b64('OK'),
        1,
        [b64('ü'), [null, b64('OK')]],
      ])
    })

    it('is of each result of a pipeline and a transaction, and never of an error', async () => {
      const commands = [
        ['SET', 'k', 'v'],
        ['GET', 'k'],
        ['LRANGE', 'none', 0, -1],
        ['INCR', 'k'],
      ]
      const bodies = [
        { result: 'OK' },
        { result: b64('v') },
        { result: [] },
        { error: 'ERR value is not an integer or out of range' },
      ]
      expect((await batch('/pipeline', commands, true)).body).toEqual(bodies)
      expect((await batch('/multi-exec', commands, true)).body).toEqual(bodies)
      expect((await run(['INCR', 'k'], true)).body).toEqual(bodies[3])
    })

    it('spares the bytes that are no UTF-8, which else become U+FFFD', async () => {
      await call('/set/bytes', { body: new Uint8Array([97, 255, 98]) })
      expect(await result('GET', 'bytes')).toBe('a\uFFFDb')
      expect((await run(['GET', 'bytes'], true)).body.result).toBe('Yf9i')
    })

    it('is the only one there is', async () => {
      const headers = { 'upstash-encoding': 'gzip' }
      expect((await call('/', { body: '["PING"]', headers })).status).toBe(400)
      expect(
        (await call('/', { body: '["PING"]', headers: { 'upstash-response-format': 'resp2' } })).status,
      ).toBe(400)
    })
  })

  describe('a pipeline', () => {
    it('goes on after an error, which stands in its place', async () => {
      const { status, body } = await batch('/pipeline', [
        ['SET', 'key1', 'valuex'],
        ['INCR', 'key1'],
        ['GET'],
        ['BLPOP', 'key1', 0],
        ['ZADD', 'myset', 11, 'item1', 22, 'item2'],
      ])
      expect(status).toBe(200)
      expect(body).toEqual([
        { result: 'OK' },
        { error: 'ERR value is not an integer or out of range' },
        { error: "ERR wrong number of arguments for 'get' command" },
        { error: expect.stringContaining(NOT_AVAILABLE) },
        { result: 2 },
      ])
    })
  })

  describe('a transaction', () => {
    it('runs all commands, also behind one that fails', async () => {
      const { status, body } = await batch('/multi-exec', [
        ['SET', 'k', 'v'],
        ['INCR', 'k'],
        ['APPEND', 'k', 'w'],
      ])
      expect([status, body]).toEqual([
        200,
        [{ result: 'OK' }, { error: 'ERR value is not an integer or out of range' }, { result: 2 }],
      ])
    })

    it('runs all commands, also where an argument makes no sense', async () => {
      const { status, body } = await batch('/multi-exec', [
        ['SET', 'n', 1],
        ['INCRBY', 'n', 'x'],
        ['INCR', 'n'],
      ])
      expect([status, body]).toEqual([
        200,
        [{ result: 'OK' }, { error: 'ERR value is not an integer or out of range' }, { result: 2 }],
      ])
    })

    it.each([
      ['of wrong arity', ['GET'], "ERR wrong number of arguments for 'get' command"],
      ['unknown', ['NOSUCH'], NOT_AVAILABLE],
      ['blocking', ['BLPOP', 'k', 0], NOT_AVAILABLE],
      ['about the connection', ['MULTI'], NOT_IN_REST],
      ['no array', 'GET', 'expected JSON array'],
    ])('is discarded as a whole when a command is %s', async (_name, command, error) => {
      const { status, body } = await batch('/multi-exec', [['SET', 'k', 'v'], command, ['SET', 'l', 'v']])
      expect([status, body]).toEqual([400, { error: expect.stringContaining(error) }])
      expect(await result('EXISTS', 'k', 'l')).toBe(0)
      expect((await batch('/multi-exec', [['SET', 'k', 'v']])).body).toEqual([{ result: 'OK' }])
    })
  })

  describe('scripts', () => {
    const script = '#!lua flags=allow-key-locking\nlocal a = 1\nreturn nothing()'

    it('may begin with a line for Upstash, and keep their line numbers', async () => {
      expect((await run(['EVAL', script, 0])).body.error).toMatch(/user_script:3: .*nothing/)
      expect(await result('EVAL', '#!lua flags=no-writes\nreturn KEYS[1]', 1, 'k')).toBe('k')
    })

    it('are known by the SHA-1 of what was sent, in a pipeline too', async () => {
      const sent = '#!lua flags=allow-key-locking,no-writes\r\nreturn ARGV[1]'
      const own = createHash('sha1').update(sent).digest('hex')
      const { body } = await batch('/pipeline', [
        ['SCRIPT', 'LOAD', sent],
        ['script', 'exists', own, '0'.repeat(40)],
      ])
      expect(body).toEqual([{ result: own }, { result: [1, 0] }])
      expect(await result('EVALSHA', own.toUpperCase(), 0, 'a')).toBe('a')
      expect((await batch('/multi-exec', [['EVALSHA_RO', own, 0, 'b']])).body).toEqual([{ result: 'b' }])
      expect(await result('SCRIPT', 'FLUSH')).toBe('OK')
      expect((await run(['EVALSHA', own, 0, 'a'])).body.error).toMatch(/^NOSCRIPT /)
    })
  })
})
