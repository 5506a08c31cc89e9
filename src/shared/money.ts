import { z } from '@hono/zod-openapi'

/** A price as v1 writes it: a decimal string, never a float. 0 to 99,999.99. */
export const Price = z
  .string('must be a decimal string such as "19.90"')
  .regex(/^(0|[1-9]\d{0,4})(\.\d{1,2})?$/, 'must be a decimal string from "0" to "99999.99"')
  .openapi({ example: '19.90' })
