import { Buffer } from 'node:buffer'

/** W3C Trace Context, version 00: https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/

const randomHex = (bytes: number): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex')

export type Trace = { traceId: string; traceparent: string }

/** Joins the caller's trace as a new span, or begins one when the header is absent or malformed. */
export const joinTrace = (header: string | undefined): Trace => {
  const [, traceId = randomHex(16), flags = '00'] = traceparent.exec(header ?? '') ?? []
  return { traceId, traceparent: `00-${traceId}-${randomHex(8)}-${flags}` }
}
