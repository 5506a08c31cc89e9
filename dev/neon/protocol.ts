import type { SqlRequest, SqlResult, Statement, Transaction } from './engine.ts'
import type { IncomingHttpHeaders } from 'node:http'

/** Header → SQL, in the spelling of @neondatabase/serverless (`isolationLevel`). */
const ISOLATION_LEVELS: Record<string, string> = {
  readuncommitted: 'READ UNCOMMITTED',
  readcommitted: 'READ COMMITTED',
  repeatableread: 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
}

const ERROR_FIELDS = [
  'message',
  'code',
  'severity',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

export class BadRequest extends Error {}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const flag = (headers: IncomingHttpHeaders, name: string) => {
  const value = headers[name]
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw new BadRequest(`header ${name} must be true or false`)
}

const isolation = (headers: IncomingHttpHeaders) => {
  const asked = headers['neon-batch-isolation-level']
  if (asked === undefined) return undefined
  const level = ISOLATION_LEVELS[String(asked).toLowerCase()]
  if (!level) throw new BadRequest(`header neon-batch-isolation-level: unknown level ${String(asked)}`)
  return level
}

const transaction = (headers: IncomingHttpHeaders): Transaction => ({
  isolation: isolation(headers),
  readOnly: flag(headers, 'neon-batch-read-only'),
  deferrable: flag(headers, 'neon-batch-deferrable'),
})

const statement = (value: unknown, at: string): Statement => {
  if (!isRecord(value)) throw new BadRequest(`${at} must be an object {query, params}`)
  const { query, params = [] } = value
  if (typeof query !== 'string') throw new BadRequest(`${at}.query must be a string`)
  // The wire protocol ends the text at a NUL byte, so the rest would be read as another message.
  if (query.includes('\0')) throw new BadRequest(`${at}.query must not contain a NUL byte`)
  if (!Array.isArray(params)) throw new BadRequest(`${at}.params must be an array`)
  if (params.length > 65_535) throw new BadRequest(`${at}.params must not have more than 65535 values`)
  return { query, params }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BadRequest(`the body is not JSON: ${String(error)}`)
  }
}

/** Reads what the driver sends; throws BadRequest with a sentence for people. */
export const parseRequest = (headers: IncomingHttpHeaders, body: string): SqlRequest => {
  if (!headers['neon-connection-string']) throw new BadRequest('header neon-connection-string is missing')
  for (const name of ['neon-raw-text-output', 'neon-array-mode']) {
    if (!flag(headers, name)) throw new BadRequest(`only ${name}: true is supported`)
  }
  const parsed = parseJson(body)
  if (!isRecord(parsed)) throw new BadRequest('the body must be {query, params} or {queries: [...]}')
  if (!('queries' in parsed)) return { statements: [statement(parsed, 'body')], transaction: undefined }
  const { queries } = parsed
  if (!Array.isArray(queries)) throw new BadRequest('queries must be an array')
  return {
    statements: queries.map((query: unknown, index) => statement(query, `queries[${index}]`)),
    transaction: transaction(headers),
  }
}

export const successBody = (request: SqlRequest, results: SqlResult[]) => {
  const replies = results.map((result) => ({ ...result, rowAsArray: true }))
  return request.transaction ? { results: replies } : replies[0]
}

/** The error's fields when PostgreSQL itself said no (it has a SQLSTATE), else undefined. */
export const databaseErrorBody = (error: unknown) => {
  if (!isRecord(error) || typeof error['code'] !== 'string' || error['severity'] === undefined)
    return undefined
  return Object.fromEntries(ERROR_FIELDS.map((field) => [field, error[field] ?? null]))
}
