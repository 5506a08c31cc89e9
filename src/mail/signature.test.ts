import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isAuthentic } from './signature.ts'

const key = randomBytes(24)
const secret = `whsec_${key.toString('base64')}`
const body = '{"type":"email.delivered","data":{"subject":"Gr\u00fc\u00dfe \u{1f4e6}"}}'
const now = () => Math.floor(Date.now() / 1_000)

type Parts = { id?: string; timestamp?: number | string; text?: string; with?: Buffer }

/** By the scheme's own words, without the library. */
const sign = ({ id = 'msg_1', timestamp = now(), text = body, with: by = key }: Parts = {}): string =>
  `v1,${createHmac('sha256', by).update(`${id}.${timestamp}.${text}`).digest('base64')}`

const message = (parts: Parts = {}) => ({
  id: parts.id ?? 'msg_1',
  timestamp: String(parts.timestamp ?? now()),
  signature: sign(parts),
  body: parts.text ?? body,
})

describe('a signed message', () => {
  it('is authentic with a signature of ours over its bytes', () => {
    expect(isAuthentic(secret, message())).toBe(true)
  })

  it('is authentic up to five minutes off, and not beyond', () => {
    for (const [offset, authentic] of [
      [-290, true],
      [290, true],
      [-310, false],
      [310, false],
    ] as const) {
      expect(isAuthentic(secret, message({ timestamp: now() + offset })), `${offset} s`).toBe(authentic)
    }
  })

  it('may carry several signatures, as while a secret is exchanged', () => {
    const other = sign({ with: randomBytes(24) })
    const both = { ...message(), signature: `${other} v1a,${'A'.repeat(88)} ${sign()}` }
    expect(isAuthentic(secret, both)).toBe(true)
    expect(isAuthentic(secret, { ...both, signature: `${other} ${other}` })).toBe(false)
  })

  const forged: [string, object][] = [
    ['another body', { body: body.replace('delivered', 'bounced') }],
    ['a body with one more blank', { body: `${body} ` }],
    ['another id', { id: 'msg_2' }],
    ['another time', { timestamp: String(now() - 1) }],
    ['a time that is no number', { timestamp: 'now' }],
    ['a time with a tail', { timestamp: `${now()}x` }],
    ['a cut signature', { signature: sign().slice(0, -4) }],
    ['a signature of another version', { signature: sign().replace('v1', 'v2') }],
    ['a bare version', { signature: 'v1' }],
    ['an empty signature', { signature: 'v1,' }],
    ['no signature', { signature: undefined }],
    ['no id', { id: undefined }],
    ['no time', { timestamp: undefined }],
  ]
  it.each(forged)('is refused with %s', (_, change) => {
    expect(isAuthentic(secret, { ...message(), ...change })).toBe(false)
  })

  it('is refused when another secret signed it', () => {
    expect(isAuthentic(`whsec_${randomBytes(24).toString('base64')}`, message())).toBe(false)
  })
})
