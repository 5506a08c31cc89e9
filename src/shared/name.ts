import { z } from '@hono/zod-openapi'

/** A name on one line, without what could drive a terminal. */
export const nameOf = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .regex(/^\P{Cc}*$/u, 'must not contain control characters')
    // As JSON Schema has it, without delimiters and flags.
    .openapi({ pattern: String.raw`^\P{Cc}*$` })
