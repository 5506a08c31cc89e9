import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { byteRangeOf, type ByteRange } from '../shared/byte-range.ts'
import { AppError } from '../shared/errors.ts'
import { contentDisposition } from './content-disposition.ts'

/** Who a file is shown to, and so who may keep it and embed it. */
type Audience = keyof typeof audiences

/** A stored file that never changes under its ETag. */
export type StoredFile = {
  /** Under which it is saved: any text. */
  name: string
  /** Only what runs no script and loads nothing may be `inline`. */
  disposition: 'attachment' | 'inline'
  audience: Audience
  type: string
  size: number
  /** Without quotes. */
  etag: string
  modifiedAt: Date
  open: (range?: ByteRange) => Promise<ReadableStream>
}

/** For `request.headers` of an operation that answers with a file. */
export const fileHeaders = z.object({
  range: z.string().optional().openapi({ description: 'One range of bytes', example: 'bytes=0-1023' }),
  'if-range': z.string().optional(),
  'if-none-match': z.string().optional(),
  'if-modified-since': z.string().optional(),
})

const bytes = { schema: z.string().openapi({ format: 'binary' }) }

export const fileResponses = (types: string[], description: string) => {
  const content = Object.fromEntries(types.map((type) => [type, bytes]))
  return {
    200: { description, content },
    206: { description: 'The range that was asked for', content },
    304: { description: 'What the client has is current' },
  }
}

/** For whom each of them may have other rights at the next request, nothing is kept without asking again. */
const unkept = 'private, no-cache'

const audiences = {
  /** Everyone. What is no longer public may be in caches for this long, and in none for longer (ADR 21). */
  everyone: { cacheControl: 'public, max-age=86400, immutable', resourcePolicy: 'cross-origin' },
  /** Whoever has the link, be it in a mail or on a page of another origin. */
  link: { cacheControl: unkept, resourcePolicy: 'cross-origin' },
  /** Whoever is logged in, which no page of another origin can make a browser be for an image. */
  actor: { cacheControl: unkept, resourcePolicy: 'same-origin' },
} as const

/** Should a browser show it as a page nevertheless: without scripts, forms, frames or an origin. */
const policy = "default-src 'none'; sandbox; frame-ancestors 'none'"

const matches = (header: string, quoted: string): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === quoted)

/** Dates of HTTP have whole seconds. */
const seconds = (date: Date): number => Math.floor(date.getTime() / 1_000)

const isCurrent = ({ req }: Context, quoted: string, modifiedAt: Date): boolean => {
  const tags = req.header('If-None-Match')
  if (tags !== undefined) return matches(tags, quoted)
  const since = Date.parse(req.header('If-Modified-Since') ?? '')
  return !Number.isNaN(since) && seconds(modifiedAt) <= since / 1_000
}

/** A range is for who still has the rest of the same file. */
const rangeOf = ({ req }: Context, { size, modifiedAt }: StoredFile, quoted: string) => {
  const condition = req.header('If-Range')?.trim()
  const same = condition === undefined || condition === quoted || condition === modifiedAt.toUTCString()
  return req.raw.method === 'GET' && same ? byteRangeOf(req.header('Range'), size) : undefined
}

/**
 * Sends a file: conditional requests, one range of bytes, HEAD (RFC 9110, sections 13 and 14). Opens it only where its
 * bytes are sent.
 * @throws RANGE_NOT_SATISFIABLE
 */
export const sendFile = async (c: Context, file: StoredFile): Promise<Response> => {
  const { name, disposition, audience, type, size, etag, modifiedAt, open } = file
  const { cacheControl, resourcePolicy } = audiences[audience]
  const quoted = `"${etag}"`
  // All of them with a 304 too, whose headers replace those of the stored response.
  const headers = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': cacheControl,
    'Content-Security-Policy': policy,
    'Cross-Origin-Resource-Policy': resourcePolicy,
    ETag: quoted,
    'Last-Modified': modifiedAt.toUTCString(),
  }
  if (isCurrent(c, quoted, modifiedAt)) return c.body(null, 304, headers)

  const range = rangeOf(c, file, quoted)
  if (range === 'unsatisfiable') {
    throw new AppError('RANGE_NOT_SATISFIABLE', `The file has ${size} bytes`, {
      headers: { 'Content-Range': `bytes */${size}` },
    })
  }
  const content = {
    ...headers,
    'Content-Type': type,
    'Content-Length': String(range?.length ?? size),
    'Content-Disposition': contentDisposition(disposition, name),
  }
  if (c.req.raw.method === 'HEAD') return c.body(null, 200, content)
  if (range === undefined) return c.body(await open(), 200, content)
  const last = range.offset + range.length - 1
  return c.body(await open(range), 206, {
    ...content,
    'Content-Range': `bytes ${range.offset}-${last}/${size}`,
  })
}
