import { describe, expect, it } from 'vitest'
import { CONFIGS, onBothRedis, upstash } from '../../test/support/redis-server.ts'

onBothRedis('batches and scripts of @upstash/redis', (redis) => {
  describe.each(CONFIGS)('%s', (_name, config) => {
    const open = () => upstash(redis(), config)

    it('answers a pipeline in order, with errors in their places', async () => {
      const client = open()
      const replies = await client
        .pipeline()
        .set('a', 'OK')
        .get('a')
        .incr('a')
        .hgetall('none')
        .exec({ keepErrors: true })
      expect(replies.map(({ result }) => result)).toEqual(['OK', 'OK', undefined, null])
      expect(replies[2]?.error).toBe('ERR value is not an integer or out of range')
      await expect(client.pipeline().incr('a').exec()).rejects.toThrow('Command 1 [ incr ] failed')
    })

    it('runs a transaction whole, and other commands in spite of one that fails', async () => {
      const client = open()
      expect(await client.multi().set('a', 1).incr('a').get('a').exec()).toEqual(['OK', 2, 2])
      await expect(client.multi().set('b', 'x').incr('b').set('c', 'y').exec()).rejects.toThrow(
        'not an integer',
      )
      expect(await client.mget('b', 'c')).toEqual(['x', 'y'])
    })

    it('interleaves nothing with a transaction', async () => {
      const client = open()
      const swap = () => client.multi().incr('n').incr('n').get('n').exec<[number, number, number]>()
      const all = await Promise.all(Array.from({ length: 50 }, swap))
      for (const [first, second, read] of all) expect([second, read]).toEqual([first + 1, first + 1])
      expect(await client.get('n')).toBe(100)
    })

    it('evaluates scripts, and knows them by their SHA-1', async () => {
      const client = open()
      const script = 'return {KEYS[1], ARGV[1], #ARGV[1], 3.99, false, {ok = "FINE"}, {"OK", {"deep"}}}'
      expect(await client.eval(script, ['ключ'], ['ü'])).toEqual([
        'ключ',
        'ü',
        2,
        3,
        null,
        'FINE',
        ['OK', ['deep']],
      ])
      const sha = await client.scriptLoad('return redis.call("INCRBY", KEYS[1], ARGV[1])')
      expect(await client.scriptExists(sha, '0'.repeat(40))).toEqual([1, 0])
      expect(await client.evalsha(sha, ['n'], ['4'])).toBe(4)
      expect(await client.evalRo('return redis.call("GET", KEYS[1])', ['n'], [])).toBe(4)
      await expect(client.evalsha('0'.repeat(40), [], [])).rejects.toThrow('NOSCRIPT')
      await client.scriptFlush()
      await expect(client.evalsha(sha, ['n'], ['4'])).rejects.toThrow('NOSCRIPT')
    })

    it('has createScript, which falls back from EVALSHA to EVAL', async () => {
      const script = open().createScript<string>('return ARGV[1] .. cjson.encode({a = 1})')
      expect(await script.exec([], ['json: '])).toBe('json: {"a":1}')
      expect(await script.evalsha([], ['again: '])).toBe('again: {"a":1}')
    })

    it('says what was wrong', async () => {
      const client = open()
      await client.hset('h', { a: 1 })
      await expect(client.get('h')).rejects.toThrow('WRONGTYPE Operation against a key')
      await expect(client.eval('return redis.call("INCR", KEYS[1])', ['h'], [])).rejects.toThrow('WRONGTYPE')
      await expect(client.eval('error("boom")', [], [])).rejects.toThrow('boom')
      await expect(client.exec(['SET', 'k'])).rejects.toThrow("wrong number of arguments for 'set' command")
      await expect(client.set('k', undefined)).rejects.toThrow('ERR null args are not supported')
    })

    it('keeps bytes that are no UTF-8', async () => {
      const client = open()
      await client.eval('return redis.call("SET", KEYS[1], "\\255\\0\\128a")', ['bytes'], [])
      expect(await client.strlen('bytes')).toBe(4)
      expect(await client.get('bytes')).toBe('\uFFFD\0\uFFFDa')
      await client.setbit('bits', 7, 1)
      expect([await client.getbit('bits', 7), await client.bitcount('bits', 0, -1)]).toEqual([1, 1])
    })
  })

  it('answers 200 commands at once, each its own', async () => {
    const client = upstash(redis(), { enableAutoPipelining: false })
    const numbers = Array.from({ length: 200 }, (_, at) => at)
    await Promise.all(numbers.map((number) => client.set(`n${number}`, number)))
    expect(await Promise.all(numbers.map((number) => client.get(`n${number}`)))).toEqual(numbers)
  })

  it('carries a value of 5 MB', async () => {
    const client = upstash(redis())
    const large = 'ü🙂x'.repeat(700_000)
    await client.set('large', large)
    expect((await client.get<string>('large')) === large).toBe(true)
  })

  it('does not know a client with another token', async () => {
    const stranger = upstash({ ...redis(), token: 'guessed' })
    await expect(stranger.get('a')).rejects.toThrow('WRONGPASS invalid or missing auth token')
  })
})
