import { expect, it } from 'vitest'
import { createDenials } from './denials.ts'

const verdict = { name: 'login', points: 5, windowMs: 900_000, retryMs: 1_000, remaining: 0, resetAt: 51_000 }

it('remembers a denial of a policy and a key until it is over, and what is left of its wait', () => {
  const denials = createDenials()
  denials.remember('ip:192.0.2.1', verdict, { asked: 50_000, answered: 50_000 })
  expect(denials.recall('ip:192.0.2.1', 'login', 50_000)).toEqual(verdict)
  expect(denials.recall('ip:192.0.2.1', 'login', 50_999)).toEqual({ ...verdict, retryMs: 1 })
  expect(denials.recall('ip:192.0.2.1', 'global', 50_000)).toBeUndefined()
  expect(denials.recall('ip:192.0.2.2', 'login', 50_000)).toBeUndefined()
  expect(denials.recall('ip:192.0.2.1', 'login', 51_000)).toBeUndefined()
})

it('remembers the last 10,000', () => {
  const denials = createDenials()
  for (let n = 0; n <= 10_000; n++) denials.remember(`ip:${n}`, verdict, { asked: 0, answered: 0 })
  expect(['ip:0', 'ip:1', 'ip:10000'].map((key) => denials.recall(key, 'login', 0) !== undefined)).toEqual([
    false,
    true,
    true,
  ])
})

it('forgets when the denial may be over, and before tells a wait after which it surely is', () => {
  const denials = createDenials()
  denials.remember('ip:192.0.2.1', verdict, { asked: 50_000, answered: 50_030 })
  expect(denials.recall('ip:192.0.2.1', 'login', 50_999)?.retryMs).toBe(31)
  expect(denials.recall('ip:192.0.2.1', 'login', 51_000)).toBeUndefined()
})
