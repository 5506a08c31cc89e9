import { describe, expect, it } from 'vitest'
import { CONFIGS, onBothRedis, upstash } from '../../test/support/redis-server.ts'

const UNICODE = 'Grüße, 世界 🙂 \\ "q" \u0000 \u2028 \r\n'

onBothRedis('@upstash/redis', (redis) => {
  describe.each(CONFIGS)('%s', (_name, config) => {
    const open = () => upstash(redis(), config)

    it('stores texts, numbers, booleans and JSON, and gives them back as they were', async () => {
      const client = open()
      const values = {
        text: 'a',
        empty: '',
        number: 1.5,
        yes: true,
        json: { a: [1, { b: null }], ü: UNICODE },
      }
      expect(await client.mset(values)).toBe('OK')
      for (const [key, value] of Object.entries(values)) expect(await client.get(key)).toEqual(value)
      expect(await client.mget('text', 'nothing', 'json')).toEqual(['a', null, values.json])
    })

    it('keeps any text whole: unicode, control characters, an "OK", what looks like base64', async () => {
      const client = upstash(redis(), { ...config, automaticDeserialization: false })
      for (const text of [UNICODE, 'OK', 'T0s=', '\r\n+OK\r\n', ' ', '[1', 'ä'.repeat(50_000)]) {
        await client.set(`key ${text.slice(0, 9)}`, text)
        expect(await client.get(`key ${text.slice(0, 9)}`)).toBe(text)
        await client.rpush('list', text)
      }
      expect((await client.lrange('list', 0, 2))[1]).toBe('OK')
    })

    it('sets with options', async () => {
      const client = open()
      expect(await client.set('k', 1, { nx: true, ex: 100 })).toBe('OK')
      expect(await client.set('k', 2, { nx: true })).toBeNull()
      expect(await client.ttl('k')).toBe(100)
      expect(await client.set('k', 3, { xx: true, keepTtl: true, get: true })).toBe(1)
      expect(await client.ttl('k')).toBe(100)
      expect(await client.set('k', 4, { px: 50_000 })).toBe('OK')
      expect(await client.pttl('k')).toBeGreaterThan(49_000)
      expect(await client.getex('k', { persist: true })).toBe(4)
      expect(await client.ttl('k')).toBe(-1)
      expect(await client.set('none', 1, { xx: true })).toBeNull()
      expect(await client.getdel('k')).toBe(4)
      expect(await client.exists('k', 'none')).toBe(0)
    })

    it('lets a key expire', async () => {
      const client = open()
      await client.set('short', 1, { px: 30 })
      await expect.poll(() => client.get('short'), { timeout: 10_000 }).toBeNull()
      expect(await client.dbsize()).toBe(0)
    })

    it('counts', async () => {
      const client = open()
      expect(await client.incr('n')).toBe(1)
      expect(await client.incrby('n', 5)).toBe(6)
      expect(await client.decrby('n', 2)).toBe(4)
      expect(await client.incrbyfloat('n', 0.5)).toBe(4.5)
      expect(await client.append('t', 'abc')).toBe(3)
      expect(await client.strlen('t')).toBe(3)
      expect(await client.getrange('t', 1, 2)).toBe('bc')
    })

    it('has hashes', async () => {
      const client = open()
      const value = { name: 'Ünïcode', n: 1, nested: { a: 1 } }
      expect(await client.hset('h', value)).toBe(3)
      expect(await client.hgetall('h')).toEqual(value)
      expect(await client.hgetall('none')).toBeNull()
      expect(await client.hmget('h', 'n', 'none')).toEqual({ n: 1, none: null })
      expect(await client.hincrby('h', 'n', 2)).toBe(3)
      expect(await client.hkeys('h')).toEqual(['name', 'n', 'nested'])
      expect(await client.hdel('h', 'name', 'n', 'nested')).toBe(3)
      expect(await client.exists('h')).toBe(0)
    })

    it('has lists', async () => {
      const client = open()
      expect(await client.rpush<unknown>('l', 'a', { b: 1 }, 3)).toBe(3)
      expect(await client.lrange('l', 0, -1)).toEqual(['a', { b: 1 }, 3])
      expect(await client.linsert('l', 'before', 'a', 'z')).toBe(4)
      expect(await client.lpop('l', 2)).toEqual(['z', 'a'])
      expect(await client.lmove('l', 'l2', 'right', 'left')).toBe(3)
      expect(await client.lpos('l', '{"b":1}')).toBe(0)
      expect(await client.lindex('l', 9)).toBeNull()
      expect(await client.llen('l2')).toBe(1)
    })

    it('has sets', async () => {
      const client = open()
      expect(await client.sadd('s1', 'a', 'b', 'c')).toBe(3)
      expect(await client.sadd('s2', 'b', 'c', 'd')).toBe(3)
      expect((await client.sinter('s1', 's2')).toSorted()).toEqual(['b', 'c'])
      expect(await client.smismember('s1', ['a', 'z'])).toEqual([1, 0])
      expect(await client.sdiffstore('s3', 's1', 's2')).toBe(1)
      expect(await client.smembers('s3')).toEqual(['a'])
      expect(await client.srem('s1', 'a', 'z')).toBe(1)
    })

    it('has sorted sets', async () => {
      const client = open()
      const three = [
        { score: 1, member: 'a' },
        { score: 2.5, member: 'b' },
        { score: 3, member: 'c' },
      ] as const
      expect(await client.zadd('z', ...three)).toBe(3)
      expect(await client.zadd('z', { nx: true }, { score: 9, member: 'a' })).toBe(0)
      expect(await client.zadd('z', { xx: true, ch: true }, { score: 4, member: 'a' })).toBe(1)
      expect(await client.zincrby('z', 1, 'b')).toBe(3.5)
      expect(await client.zrange('z', 0, -1, { withScores: true })).toEqual(['c', 3, 'b', 3.5, 'a', 4])
      expect(await client.zrange('z', 4, '(3', { byScore: true, rev: true })).toEqual(['a', 'b'])
      expect(await client.zscore('z', 'none')).toBeNull()
      expect(await client.zcount('z', '-inf', 3.5)).toBe(2)
      expect(await client.zrank('z', 'a')).toBe(2)
      expect(await client.zremrangebyscore('z', 0, 3)).toBe(1)
      expect(await client.zpopmin('z', 2)).toEqual(['b', 3.5, 'a', 4])
    })

    it('scans all keys, each once', async () => {
      const client = open()
      const keys = Array.from({ length: 250 }, (_, at) => `scan:${at}`)
      await client.mset(Object.fromEntries(keys.map((key) => [key, 1])))
      await client.set('other', 1)
      const found = new Set<string>()
      let cursor = '0'
      do {
        const [next, page] = await client.scan(cursor, { match: 'scan:*', count: 50, type: 'string' })
        for (const key of page) found.add(key)
        cursor = next
      } while (cursor !== '0')
      expect([...found].toSorted()).toEqual(keys.toSorted())
      expect(await client.keys('scan:24?')).toHaveLength(10)
    })
  })
})
