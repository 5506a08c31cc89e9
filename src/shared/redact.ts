import { CREDIT_CARD_NUMBER_PATTERN, JWT_PATTERN, redactByField, redactByPattern } from '@logtape/redaction'
import type { Sink, TextFormatter } from '@logtape/logtape'

const mask = '[redacted]'

const secretNames = [
  'pass(?:word|phrase|code|wd)?',
  '[a-z_-]*tokens?',
  '[a-z_-]*secret[a-z_-]*',
  'authorization',
  '(?:set-)?cookies?',
  'credit[_-]?card[a-z_-]*',
  'card[_-]?number',
  'cv[vc]2?',
  'api[_-]?keys?',
  'x-api-key',
  'private[_-]?key',
  'jwt_keys',
  'credentials?',
  'database_url',
  'sec-websocket-protocol',
]

/** Names whose values never reach a log, matched anywhere in a field's name and in any letter case. */
const secretFields = [
  /pass(?:word|phrase|code|wd)/i,
  /^pass$/i,
  /token(?!type)/i,
  /secret/i,
  /authorization/i,
  /cookie/i,
  /credit[_-]?card/i,
  /card[_-]?number/i,
  /^cv[vc]2?$/i,
  /api[_-]?key/i,
  /private[_-]?key/i,
  /jwt_keys/i,
  /credential/i,
  /database_url/i,
  /sec-websocket-protocol/i,
]

/** `name: value` and `name=value` inside free text, with or without (escaped) quotes. */
const assignment = new RegExp(
  String.raw`(\b(?:${secretNames.join('|')})\b(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?(?:(?:Bearer|Basic)\s+)?)(?!\[redacted\])[^\s"'\\,;&}{[\]]+`,
  'gi',
)

const patterns = [
  JWT_PATTERN,
  CREDIT_CARD_NUMBER_PATTERN,
  { pattern: assignment, replacement: `$1${mask}` },
  { pattern: /\b(Bearer|Basic)\s+(?!\[redacted\])[\w.~+/=-]{8,}/gi, replacement: `$1 ${mask}` },
  { pattern: /\/\/[^\s/:@"]*:[^\s/@"]+@/g, replacement: `//${mask}@` },
]

/** Two nets: by the name of a field at any depth, then by the look of a value anywhere in the finished line. */
export const redactedSink = (write: (line: string) => void, format: TextFormatter): Sink => {
  const formatLine = redactByPattern((record) => format(record), patterns)
  return redactByField((record) => write(formatLine(record)), {
    fieldPatterns: secretFields,
    action: () => mask,
  })
}
