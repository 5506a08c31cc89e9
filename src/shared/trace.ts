/** W3C Trace Context, version 00: https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/

/** 32 hexadecimal digits; of the last 16 two bits are fixed, so that they are never all zero. */
const randomHex = (): string => crypto.randomUUID().replaceAll('-', '')

export type Trace = { traceId: string; traceparent: string }

/** Joins the caller's trace as a new span, or begins one when the header is absent or malformed. */
export const joinTrace = (header: string | undefined): Trace => {
  const [, traceId = randomHex(), flags = '00'] = traceparent.exec(header ?? '') ?? []
  return { traceId, traceparent: `00-${traceId}-${randomHex().slice(16)}-${flags}` }
}
