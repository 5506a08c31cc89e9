import { createMiddleware } from 'hono/factory'
import { invalid } from '../../shared/errors.ts'
import { findUnstorableText } from '../../shared/text.ts'
import type { AppEnv } from '../context.ts'

const isJson = (contentType: string | undefined): boolean =>
  /^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')

type Declared = { query?: unknown; body?: unknown }

/**
 * Part of validation, for every schema at once: text that PostgreSQL could not store is a 422 naming its field. Looks
 * only where the operation takes something.
 */
export const refuseUnstorableText = ({ query, body }: Declared = {}) =>
  createMiddleware<AppEnv>(async function refuseUnstorableText(c, next) {
    const inQuery = query === undefined ? undefined : findUnstorableText(c.req.queries())?.slice(0, 1)
    // hono keeps the parsed body: the validator that follows does not parse again.
    const takesBody = body !== undefined && isJson(c.req.header('Content-Type'))
    const path = inQuery ?? (takesBody ? findUnstorableText(await parsedOrNull(c.req)) : undefined)
    if (path !== undefined) {
      throw invalid({ field: path.join('.'), message: 'must not contain NUL or a lone surrogate' })
    }
    await next()
  })

/** Malformed JSON is the validator's to refuse. */
const parsedOrNull = async (request: { json: () => Promise<unknown> }): Promise<unknown> => {
  try {
    return await request.json()
  } catch {
    return null
  }
}
