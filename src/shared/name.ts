import { z } from '@hono/zod-openapi'

/** A display name of 2 to `max` characters, counted as PostgreSQL counts: an emoji is one, though JavaScript says two. */
export const Name = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .refine((name) => Array.from(name).length >= 2, 'must have at least 2 characters')
    .openapi({ minLength: 2 })
