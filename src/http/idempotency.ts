import { z } from '@hono/zod-openapi'
import type { Context, TypedResponse } from 'hono'
import { hashRequest, type IdempotentRequest, type Reply } from '../shared/idempotency.ts'
import { AppError } from '../shared/errors.ts'

/** For `request.headers` of every POST that changes something. */
export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .openapi({
      description:
        'Makes a retry safe: within 24 hours the same key of the same account at the same operation answers with ' +
        'the bytes of the first success and `Idempotency-Replayed: true`, and changes nothing.',
      example: '5f6c2a8e-order-1',
    }),
})

/** The request as one that may be repeated; `asked` is what was validated. Undefined without the header. */
export const onceOf = (
  { req }: Context,
  { operationId }: { operationId: string },
  asked: { id?: string; body?: unknown },
): IdempotentRequest | undefined => {
  const key = req.header('Idempotency-Key')
  return key === undefined ? undefined : { operation: operationId, key, hash: hashRequest(asked) }
}

const Created = z.object({ data: z.object({ id: z.string() }) })

/** Sends the reply's text as it is; `collection` is where a created thing lives. */
export const sendReply = <Data, Status extends 200 | 201 | 202>(
  c: Context,
  { status, text, replayed }: Reply,
  collection?: string,
) => {
  c.header('Content-Type', 'application/json')
  if (replayed) c.header('Idempotency-Replayed', 'true')
  if (collection !== undefined) {
    c.header('Location', `${collection}/${Created.parse(JSON.parse(text)).data.id}`)
  }
  // The text was made by the database in the shape of Data; hono can only type what it serialises itself.
  return c.body(text, status as Status) as unknown as TypedResponse<{ data: Data }, Status, 'json'>
}

/** For operations that write or answer a secret, which is never stored, and that may come twice without harm. */
export const refuseIdempotencyKey = ({ req }: Context): void => {
  if (req.header('Idempotency-Key') === undefined) return
  const message = 'This operation takes no Idempotency-Key: its reply is never stored'
  throw new AppError('IDEMPOTENCY_NOT_SUPPORTED', message)
}
