import { env } from 'cloudflare:workers'
import { inject, describe, expect, it } from 'vitest'
import { createScanner } from '../../src/uploads/scanner.ts'
import { plainWebpSize } from '../../src/uploads/webp.ts'
import { api } from '../support/edge-api.ts'
import { describeWithClamd, eicar, eicarSignature } from '../support/edge-clamd.ts'
import {
  allOf,
  bombPng,
  bytesOf,
  encoded,
  forgedPng,
  gif,
  pdf,
  png,
  pngChunk,
} from '../support/edge-images.ts'
import { cleanScanner, expectSettled, process, rowOf, type Parts } from '../support/edge-pipeline.ts'
import { newUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'
import { sendRaw, uploadOf } from '../support/edge-uploads.ts'

type Bytes = Uint8Array<ArrayBuffer>

const clamds = inject('clamds')
const scanner =
  'unavailable' in clamds ? cleanScanner : createScanner({ url: `tcp://127.0.0.1:${clamds.usual}` })

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** Decoders of a machine that is busy take their time. */
const slow = 120_000

/** Sends a file as a client would. Answers the status, and the upload where there is one. */
const send = async (bytes: Bytes, type: string) => {
  const owner = await newUser()
  const reply = await sendRaw(owner.token, bytes, { type })
  expect(reply.status, reply.text).toBeLessThan(500)
  if (reply.status !== 201) return { status: reply.status }
  const { id } = uploadOf(reply)
  const [job] = await sql<{ id: string }>(
    `update jobs set state = 'running', attempt = 1, lease_until = now() + interval '1 hour'
      where subject_id = $1 and type = 'upload.process' returning id`,
    [id],
  )
  if (job === undefined) throw new Error('No job was made')
  return { status: 201, upload: { id, jobId: job.id, owner } }
}

/** Sends it, lets its job run, and looks at every step whether anything can be read that must not be. */
const verdictOf = async (bytes: Bytes, type: string) => {
  const { status, upload } = await send(bytes, type)
  if (upload === undefined) return { verdict: status }
  const look = async () => {
    const { status, text, data } = await api('GET', `/api/v1/uploads/${upload.id}`, {
      token: upload.owner.token,
    })
    expect(status, text).toBe(200)
    const shown = data as { status: string; scan: string | null; variants: { type?: string }[] }
    if (shown.status !== 'ready') expect(shown.variants.every(({ type }) => type === undefined)).toBe(true)
    const written = (await env.FILES.list({ prefix: `files/${upload.id}/` })).objects
    if (shown.scan === null) expect(written).toEqual([])
  }
  const watched = ({ uploads, store, images }: Parts): Partial<Parts> => {
    const watch = <T extends object>(port: T): T =>
      Object.fromEntries(
        Object.entries(port).map(([name, call]) => [
          name,
          async (...args: unknown[]): Promise<unknown> => {
            const result = await (call as (...args: unknown[]) => Promise<unknown>)(...args)
            await look()
            return result
          },
        ]),
      ) as T
    return { scanner, uploads: watch(uploads), store: watch(store), images }
  }
  await process(upload, watched)
  const { state, reason, signature } = await rowOf(upload.id)
  const variants = await expectSettled(upload.id, state)
  return { verdict: state, reason: reason ?? signature, variants }
}

/** Whatever is ready is WebP without a trace of what was hidden in it. */
const expectClean = async (
  variants: Awaited<ReturnType<typeof expectSettled>>,
  hidden: RegExp,
): Promise<void> => {
  for (const { key, type } of Object.values(variants)) {
    expect(type).toBe('image/webp')
    const object = await env.FILES.get(key)
    const bytes = object === null ? new Uint8Array() : await allOf(object.body)
    expect(plainWebpSize(bytes.subarray(0, 30))).toBeDefined()
    expect(latin1(bytes)).not.toMatch(hidden)
  }
}

const withChunk = (image: Bytes, type: string, body: Uint8Array): Bytes =>
  bytesOf(image.subarray(0, 33), pngChunk(type, body), image.subarray(33))

type Case = [
  what: string,
  file: () => Bytes | Promise<Bytes>,
  type: string,
  verdict: string | number,
  reason?: string,
]

const half = (bytes: Bytes): Bytes => bytes.slice(0, Math.floor(bytes.length / 2))

const noisy = png(60, 40, (x, y) => [(x * 37) & 255, (y * 91) & 255, (x * y * 13) & 255])

// docs/guides/hostile-files.md says why.
const cases: Case[] = [
  ['a side beyond 12,000, forged', () => forgedPng(60_000, 2), 'image/png', 'rejected', 'too_large'],
  [
    'more than 50 million pixels, forged',
    () => forgedPng(7_100, 7_100),
    'image/png',
    'rejected',
    'too_large',
  ],
  ['small dimensions, forged', () => forgedPng(400, 400), 'image/png', 'rejected', 'unreadable'],
  ['a bomb beyond the limits', () => bombPng(11_000, 11_000), 'image/png', 'rejected', 'too_large'],
  ['a bomb within the limits', () => bombPng(4_000, 4_000), 'image/png', 'ready'],
  ['101 frames', () => gif(101), 'image/gif', 'rejected', 'too_many_frames'],
  [
    'a million frames, declared',
    () => withChunk(png(4, 4), 'acTL', bytesOf([0, 15, 66, 64, 0, 0, 0, 0])),
    'image/png',
    'rejected',
    'too_many_frames',
  ],
  ['60 frames of a million pixels', () => gif(60, 1_000, 1_000), 'image/gif', 'rejected', 'too_large'],
  ['half a PNG', () => half(noisy), 'image/png', 'rejected', 'unreadable'],
  [
    'half a JPEG',
    async () => half(await encoded(noisy, 'image/jpeg')),
    'image/jpeg',
    'rejected',
    'unreadable',
  ],
  [
    'half a WebP',
    async () => half(await encoded(noisy, 'image/webp')),
    'image/webp',
    'rejected',
    'unreadable',
  ],
  ['nothing but a signature', () => bytesOf([0x89], 'PNG\r\n\x1a\n'), 'image/png', 'rejected', 'unreadable'],
  ['HTML before a PDF', () => bytesOf('<html><script>alert(1)</script>', pdf()), 'application/pdf', 415],
  ['a PDF that says PNG', () => pdf(), 'image/png', 415],
  [
    'SVG as PNG',
    () => bytesOf('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    'image/png',
    415,
  ],
  ['SVG', () => bytesOf('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml', 415],
  ['HTML as PDF', () => bytesOf('<!doctype html>'), 'application/pdf', 415],
  ['an executable as JPEG', () => bytesOf('MZ\x90\0'), 'image/jpeg', 415],
  ['a PDF with script in it', () => pdf('<script>alert(1)</script>'), 'application/pdf', 'ready'],
  ['one byte', () => bytesOf('x'), 'image/png', 415],
]

describe('a hostile file', () => {
  it.each(cases)(
    'of %s has its verdict',
    async (_, file, type, verdict, reason) => {
      const outcome = await verdictOf(await file(), type)
      expect(outcome).toMatchObject({ verdict, ...(reason !== undefined && { reason }) })
    },
    slow,
  )

  it('of no bytes is refused', async () => {
    const { status } = await send(bytesOf(''), 'image/png')
    expect(status).toBeGreaterThanOrEqual(400)
  })

  const hidden: [string, () => Bytes | Promise<Bytes>, string][] = [
    ['GIF and JavaScript', () => bytesOf(gif(1), '*/=1;alert("hidden");/*'), 'image/gif'],
    [
      'JPEG and ZIP',
      async () => bytesOf(await encoded(noisy, 'image/jpeg'), 'PK\x03\x04hidden PK\x05\x06'),
      'image/jpeg',
    ],
    ['PNG and PHP', () => withChunk(noisy, 'tEXt', bytesOf('Comment\0<?php hidden(); ?>')), 'image/png'],
    ['PNG and HTML', () => bytesOf(noisy, '<script>hidden()</script>'), 'image/png'],
  ]

  it.each(hidden)(
    'that is both %s becomes WebP and nothing else',
    async (_, file, type) => {
      const { verdict, variants } = await verdictOf(await file(), type)
      expect(verdict).toBe('ready')
      await expectClean(variants ?? {}, /hidden|<\?php|<script/)
    },
    slow,
  )
})

/** mulberry32: the same numbers for the same seed, so that a failure can be had again. */
const randomOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

const isFullProof = inject('isFullProof')
const mutants = isFullProof ? 100 : 3

describe('an image that is mutated at random', () => {
  const formats = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const

  it.each(formats)(
    'of type %s becomes WebP or is rejected',
    async (type) => {
      const whole = type === 'image/gif' ? gif(3, 20, 20) : await encoded(noisy, type)
      for (let seed = 1; seed <= mutants; seed++) {
        const random = randomOf(seed)
        const bytes = whole.slice(0, random() < 0.3 ? Math.ceil(random() * whole.length) : whole.length)
        // Behind the signature, or it would be refused at the door.
        for (let n = 0; n < 1 + random() * 8 && bytes.length > 17; n++) {
          bytes[16 + Math.floor(random() * (bytes.length - 16))] = Math.floor(random() * 256)
        }
        const { verdict, variants } = await verdictOf(bytes, type)
        expect(['ready', 'rejected', 415], `seed ${seed}`).toContain(verdict)
        await expectClean(variants ?? {}, /exif/i)
      }
    },
    slow * (isFullProof ? 20 : 1),
  )
})

describeWithClamd('a file with a virus', () => {
  it.each([
    ['in a PDF', 'application/pdf', () => pdf(latin1(eicar))],
    [
      'after the header of a JPEG',
      'image/jpeg',
      async () => bytesOf((await encoded(noisy, 'image/jpeg')).subarray(0, 20), eicar),
    ],
    ['behind a whole PNG', 'image/png', () => bytesOf(noisy, eicar)],
  ] as const)('%s is infected, and nothing of it is left', async (_, type, file) => {
    expect(await verdictOf(await file(), type)).toEqual({
      verdict: 'infected',
      reason: eicarSignature,
      variants: {},
    })
  })
})
