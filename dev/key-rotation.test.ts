import { expect, it } from 'vitest'
import { Environment } from '../src/config.ts'
import { rotateKeys } from './key-rotation.ts'

const now = Date.parse('2026-11-20T12:00:00.000Z')
const minutes = (n: number) => n * 60_000

it('the first rotation makes a key that signs at once', () => {
  const keys = rotateKeys([], now)
  expect(keys).toMatchObject([{ kid: expect.stringMatching(/^2026-11-20-[0-9a-f]{16}$/) }])
  expect(keys[0]).not.toHaveProperty('signsFrom')
  expect(Environment.shape.JWT_KEYS.parse(JSON.stringify(keys))).toEqual(keys)
})

it('the next publishes a new key before it signs, and retires the old one after its last token', () => {
  const [old] = rotateKeys([], now)
  const keys = rotateKeys(old === undefined ? [] : [old], now)
  expect(keys).toMatchObject([
    { signsFrom: '2026-11-20T12:06:00.000Z' },
    { kid: old?.kid, d: old?.d, retiresAt: '2026-11-20T12:22:00.000Z' },
  ])
  expect(keys[0]?.kid).not.toBe(old?.kid)
  expect(Environment.shape.JWT_KEYS.parse(JSON.stringify(keys))).toEqual(keys)
})

it('another is refused until the old key has retired, and then leaves it out', () => {
  const first = rotateKeys(rotateKeys([], now), now)
  expect(() => rotateKeys(first, now + minutes(21))).toThrow('retires at 2026-11-20T12:22:00.000Z')
  const second = rotateKeys(first, now + minutes(22))
  expect(second.map(({ kid }) => kid)).toEqual([expect.any(String), first[0]?.kid])
  expect(second[1]).not.toHaveProperty('signsFrom')
})
