import { createMiddleware } from 'hono/factory'
import { invalid } from '../../shared/errors.ts'
import { findUnstorableText } from '../../shared/text.ts'
import type { AppEnv } from '../context.ts'

const isJson = (contentType: string | undefined): boolean =>
  /^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')

/** Part of validation, for every schema at once: text that PostgreSQL could not store is a 422 naming its field. */
export const refuseUnstorableText = createMiddleware<AppEnv>(async function refuseUnstorableText(c, next) {
  const path =
    findUnstorableText(c.req.queries())?.slice(0, 1) ??
    // hono keeps the parsed body: the validator that follows does not parse again.
    (isJson(c.req.header('Content-Type')) ? findUnstorableText(await parsedOrNull(c.req)) : undefined)
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
