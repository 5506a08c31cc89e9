import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../test/bench/random.ts'
import { createKeeper, freshFor, nothingKept, usableFor, type Kept } from './keeper.ts'
import type { Found, KeyRecord } from './record.ts'

const [hash, newHash] = ['a'.repeat(64), 'b'.repeat(64)]

const row: KeyRecord = {
  userId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
  role: 'user',
  scopes: ['orders:read'],
  plan: 'free',
  secretHash: hash,
  previousHash: null,
  previousUntil: null,
  expiresAt: null,
}

/** Lets everything run that waits for nothing but itself. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

type Load = { reads: () => void; replies: () => void; fails: () => void }

/** A keeper whose clock and database are the test's. */
const world = (make = createKeeper) => {
  const state = { found: row as Found, now: 1_000_000, saved: nothingKept as Kept }
  const loads: Load[] = []
  let behind = 0
  const load = () => {
    const { promise, resolve, reject } = Promise.withResolvers<Found>()
    let read: Found | undefined
    loads.push({
      reads: () => (read ??= state.found),
      replies: () => resolve((read ??= state.found)),
      fails: () => reject(new Error('The database is away')),
    })
    return promise
  }
  const open = () =>
    make(
      {
        load,
        save: (kept) => void (state.saved = kept),
        after: () => void (behind += 1),
        now: () => state.now,
      },
      state.saved,
    )
  const reply = async () => {
    for (const { replies } of loads.splice(0)) replies()
    await settle()
  }
  const fail = async () => {
    for (const { fails } of loads.splice(0)) fails()
    await settle()
  }
  return { state, loads, open, reply, fail, behind: () => behind }
}

const outcome = (judgement: unknown) => (typeof judgement === 'string' ? judgement : 'opens')

describe('the keeper of a key', () => {
  it('loads once for all who wait', async () => {
    const { open, loads, reply } = world()
    const keeper = open()
    const all = Array.from({ length: 50 }, () => keeper.judge(hash))
    await settle()
    expect(loads).toHaveLength(1)
    await reply()
    expect((await Promise.all(all)).map(outcome)).toEqual(Array(50).fill('opens'))
  })

  it('asks again behind the answer after a minute', async () => {
    const { state, open, loads, reply, behind } = world()
    const keeper = open()
    const first = keeper.judge(hash)
    await reply()
    await first
    state.now += freshFor - 1
    await keeper.judge(hash)
    expect([behind(), loads.length]).toEqual([0, 0])
    state.now += 1
    state.found = 'revoked'
    expect(outcome(await keeper.judge(hash))).toBe('opens')
    expect([behind(), loads.length]).toEqual([1, 1])
    await reply()
    expect(await keeper.judge(hash)).toBe('refused')
  })

  it('fails closed after five minutes without the database, and not before', async () => {
    const { state, open, reply, fail } = world()
    const keeper = open()
    const first = keeper.judge(hash)
    await reply()
    await first
    state.now += usableFor - 1
    expect(outcome(await keeper.judge(hash))).toBe('opens')
    await fail()
    state.now += 1
    const closed = keeper.judge(hash)
    await settle()
    await fail()
    expect(await closed).toBe('unknowable')
    const back = keeper.judge(hash)
    await settle()
    await reply()
    expect(outcome(await back)).toBe('opens')
  })

  it('knows nothing without a database from the start', async () => {
    const { open, fail } = world()
    const judged = open().judge(hash)
    await settle()
    await fail()
    expect(await judged).toBe('unknowable')
  })

  it('asks about a hash that it does not know, but not at every try', async () => {
    const { state, open, loads, reply } = world()
    const keeper = open()
    const first = keeper.judge(hash)
    await reply()
    await first
    expect(await keeper.judge(newHash)).toBe('refused')
    expect(loads).toHaveLength(0)
    state.now += 1_000
    state.found = { ...row, secretHash: newHash }
    const rotated = keeper.judge(newHash)
    await settle()
    await reply()
    expect(outcome(await rotated)).toBe('opens')
    expect(await keeper.judge(hash)).toBe('refused')
  })

  it('lets the secret before the rotation work as long as the overlap lasts', async () => {
    const { state, open, reply } = world()
    state.found = { ...row, secretHash: newHash, previousHash: hash, previousUntil: state.now + 500 }
    const keeper = open()
    const old = keeper.judge(hash)
    await reply()
    expect([outcome(await old), outcome(await keeper.judge(newHash))]).toEqual(['opens', 'opens'])
    state.now += 500
    expect([await keeper.judge(hash), outcome(await keeper.judge(newHash))]).toEqual(['refused', 'opens'])
  })

  it('refuses what has expired, by its own clock', async () => {
    const { state, open, reply } = world()
    state.found = { ...row, expiresAt: state.now + 100 }
    const keeper = open()
    const judged = keeper.judge(hash)
    await reply()
    expect(outcome(await judged)).toBe('opens')
    state.now += 100
    expect(await keeper.judge(hash)).toBe('refused')
  })

  it('keeps a revocation through an eviction, whatever the database says', async () => {
    const { open } = world()
    open().revoke()
    expect(await open().judge(hash)).toBe('refused')
  })
})

type Ending = 'revoked' | 'rotated' | 'told by a job'

/**
 * Requests, loads that read and reply when they like, evictions, and one change of the row, in an order by chance. Answers
 * how many requests were admitted that must not have been: those that ended after the change was answered.
 */
const interleave = async (seed: number, ending: Ending, make?: typeof createKeeper): Promise<number> => {
  const { pick, below } = createRandom(seed)
  const { state, loads, open } = world(make)
  let keeper = open()
  let wrong = 0
  const change = { phase: 'before' as 'before' | 'committed' | 'answered' }
  const request = () => {
    void keeper.judge(hash).then((judgement) => {
      if (typeof judgement !== 'string' && change.phase === 'answered') wrong += 1
    })
  }
  const proceed = async () => {
    if (change.phase === 'before') {
      state.found = ending === 'rotated' ? { ...row, secretHash: newHash } : 'revoked'
      change.phase = 'committed'
    } else if (change.phase === 'committed') {
      if (ending === 'revoked') keeper.revoke()
      else void keeper.renew().catch(() => undefined)
      await settle()
      // Whoever changed the row hears of it no earlier than the object has thrown away what it knew.
      change.phase = 'answered'
    }
  }
  const steps: (() => unknown)[] = [
    request,
    request,
    proceed,
    () => loads.length > 0 && pick(loads).reads(),
    () => loads.splice(below(Math.max(1, loads.length)), 1)[0]?.replies(),
    () => void (state.now += below(freshFor)),
  ]
  for (let step = 0; step < 40; step++) {
    await pick(steps)()
    await settle()
    if (below(25) === 0) {
      // What was under way ends with the object.
      loads.length = 0
      keeper = open()
    }
  }
  while (change.phase !== 'answered') await proceed()
  for (const { replies } of loads.splice(0)) replies()
  await settle()
  request()
  await settle()
  for (const { replies } of loads.splice(0)) replies()
  await settle()
  return wrong
}

const race = async (ending: Ending, make?: typeof createKeeper): Promise<number> => {
  let wrong = 0
  for (let seed = 1; seed <= 500; seed++) wrong += await interleave(seed, ending, make)
  return wrong
}

/** The keeper without a guard; one that is not found is an error. */
const without = async (guard: string, put = ''): Promise<typeof createKeeper> => {
  const source = readFileSync(join(import.meta.dirname, 'keeper.ts'), 'utf8')
  const parts = source.split(guard)
  if (parts.length !== 2) throw new Error(`keeper.ts holds ${parts.length - 1} times: ${guard}`)
  const record = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'record.ts'), 'utf8'))
  const asUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`
  const code = stripTypeScriptTypes(parts.join(put)).replace(`'./record.ts'`, () =>
    JSON.stringify(asUrl(record)),
  )
  const module = (await import(/* @vite-ignore */ asUrl(code))) as { createKeeper: typeof createKeeper }
  return module.createKeeper
}

describe.each<Ending>(['revoked', 'rotated', 'told by a job'])('a key that is %s against loads', (ending) => {
  it('admits nothing more in 500 interleavings', { timeout: 60_000 }, async () => {
    expect(await race(ending)).toBe(0)
  })
})

describe('the controls of these races', () => {
  it('find a keeper that takes what was loaded before the change', { timeout: 60_000 }, async () => {
    const make = await without('    if (generation !== kept.generation) return\n')
    expect(await race('rotated', make)).toBeGreaterThan(0)
  })

  it('find a revocation that is no tombstone', { timeout: 60_000 }, async () => {
    const make = await without(
      'keep({ generation: kept.generation + 1, revokedAt: kept.revokedAt ?? now(), loaded: undefined })',
      'keep({ loaded: undefined })',
    )
    expect(await race('revoked', make)).toBeGreaterThan(0)
  })
})
