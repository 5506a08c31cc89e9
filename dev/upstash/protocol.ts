import { isRefusal, type Argument, type Command, type Reply } from './engine.ts'
import type { IncomingHttpHeaders } from 'node:http'

// https://upstash.com/docs/redis/features/restapi. Not here: RESP2 replies, subscribing, monitoring, read-only tokens.

export type RestRequest = {
  kind: 'command' | 'pipeline' | 'transaction'
  commands: Command[]
  base64: boolean
}

export class BadRequest extends Error {}

const argument = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null) throw new BadRequest('ERR null args are not supported')
  throw new BadRequest(`ERR unsupported arg type: "${Array.isArray(value) ? '[' : '{'}": json.Delim`)
}

const list = (value: unknown): unknown[] => {
  if (Array.isArray(value)) return value
  throw new BadRequest('ERR failed to parse command: expected JSON array')
}

const command = (value: unknown): Command => {
  const [name, ...args] = list(value).map(argument)
  if (!name) throw new BadRequest('ERR empty command')
  return [name, ...args]
}

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    throw new BadRequest(`ERR failed to parse command: ${String(error)}`)
  }
}

const parseBatch = (body: Buffer): Command[] => {
  const commands = list(parseJson(body)).map(command)
  if (commands.length === 0) throw new BadRequest('ERR empty pipeline request')
  return commands
}

const decoded = (segment: string) => {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new BadRequest('ERR the path is not valid percent-encoded UTF-8')
  }
}

/** `/SET/key/value`; the body is one more argument, as bytes, and the query's parameters follow it. */
const parsePath = ({ pathname, searchParams }: URL, body: Buffer): Command => {
  const [name, ...args] = pathname.slice(1).split('/').map(decoded)
  if (!name) throw new BadRequest('ERR empty command')
  const last: Argument[] = body.length > 0 ? [body] : []
  const options = [...searchParams].filter(([key]) => key !== '_token').flat()
  // `?NX` has an empty value, which no option of Redis takes.
  return [name, ...args, ...last, ...options.filter((text) => text !== '')]
}

const isBase64 = (headers: IncomingHttpHeaders) => {
  const encoding = headers['upstash-encoding']
  if (encoding !== undefined && encoding !== 'base64')
    throw new BadRequest('ERR only base64 is an Upstash-Encoding')
  const format = headers['upstash-response-format']
  if (format !== undefined && format !== 'json') {
    throw new BadRequest('ERR only json is supported as Upstash-Response-Format')
  }
  return encoding === 'base64'
}

/** Throws BadRequest. */
export const parseRequest = (url: URL, headers: IncomingHttpHeaders, body: Buffer): RestRequest => {
  const base64 = isBase64(headers)
  if (url.pathname === '/pipeline') return { kind: 'pipeline', commands: parseBatch(body), base64 }
  if (url.pathname === '/multi-exec') return { kind: 'transaction', commands: parseBatch(body), base64 }
  const one = url.pathname === '/' ? command(parseJson(body)) : parsePath(url, body)
  return { kind: 'command', commands: [one], base64 }
}

/** Bytes that are no UTF-8 become U+FFFD where base64 was not asked for. */
const encoded = (reply: Reply, base64: boolean): unknown => {
  if (Buffer.isBuffer(reply)) return reply.toString(base64 ? 'base64' : 'utf8')
  if (Array.isArray(reply)) return reply.map((each) => encoded(each, base64))
  return isRefusal(reply) ? encoded(Buffer.from(reply.error), base64) : reply
}

const OK = Buffer.from('OK')

/** An answer "OK" stays as it is; inside an array the SDK expects it encoded like all others. */
export const replyBody = (reply: Reply, base64: boolean) => {
  if (isRefusal(reply)) return reply
  return { result: Buffer.isBuffer(reply) && reply.equals(OK) ? 'OK' : encoded(reply, base64) }
}
