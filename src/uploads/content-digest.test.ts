import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { digested, digestOf } from './content-digest.ts'

const of = (text: string) => createHash('sha256').update(text)
const base64 = of('hello').digest('base64')
const hex = of('hello').digest('hex')

async function* source(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text))
}

const read = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all).toString()
}

describe('Content-Digest', () => {
  it.each([
    `sha-256=:${base64}:`,
    `sha-512=:YQ==:, sha-256=:${base64}:`,
    `SHA-256=:${base64}:;x=1`,
    `  sha-256=:${base64}: , md5=:YQ==:`,
  ])('names a SHA-256: %s', (header) => {
    expect(digestOf(header)).toBe(hex)
  })

  it('may be absent', () => {
    expect(digestOf(undefined)).toBeUndefined()
  })

  it.each(['', 'sha-256', `sha-256=${base64}`, 'sha-256=:YQ==:', 'md5=:YQ==:', `x-sha-256=:${base64}:`])(
    'is refused when it names none: %j',
    (header) => {
      expect(() => digestOf(header)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }))
    },
  )

  it('is held against what was read, at its end', async () => {
    expect(await read(digested(source('he', 'llo'), hex))).toBe('hello')
    await expect(read(digested(source('he', 'lpo'), hex))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  })
})
