import { CREDIT_CARD_NUMBER_PATTERN, JWT_PATTERN, redactByField, redactByPattern } from '@logtape/redaction'
import type { Sink, TextFormatter } from '@logtape/logtape'

const mask = '[redacted]'

/** Names whose values never reach a log, in any letter case and however their words are joined. */
const names = [
  'pass[_-]?(?:word|phrase|code|wd)',
  'pwd',
  'token(?!type)',
  'secret',
  'authorization',
  'authentication',
  'cookie',
  'credit[_-]?card',
  'card[_-]?number',
  'a(?:pi|ccess)[_-]?key',
  'private[_-]?key',
  'jwt[_-]?keys?',
  'credential',
  'signature',
  'database[_-]?url',
  'sec-websocket-protocol',
]

/** Too short to be looked for inside a longer name. */
const wholeNames = ['pass', 'otp', 'pin', 'cv[vc]2?', 'session']

const secretFields = [new RegExp(names.join('|'), 'i'), new RegExp(`^(?:${wholeNames.join('|')})$`, 'i')]

const quoted = String.raw`\\*"[^"\\]*|'[^'\\]*`

/** `name: value` and `name=value` inside free text, with or without (escaped) quotes. */
const assignment = new RegExp(
  String.raw`((?:\b[\w-]*(?:${names.join('|')})[\w-]*|\b(?:${wholeNames.join('|')}))\b(?:\\*["'])?\s*[:=]\s*(?:(?:Bearer|Basic)\s+)?)(?!\\*["']?\[redacted\])(?:${quoted}|[^\s"'\\,;&}{[\]]+)`,
  'gi',
)

/** Hardly a line has one, and to look for assignments is slow. */
const anyName = new RegExp([...names, ...wholeNames].join('|'), 'i')

const maskCard = CREDIT_CARD_NUMBER_PATTERN.replacement as (text: string) => string

const patterns = [
  JWT_PATTERN,
  { pattern: /sk_(?:live|test)_[\w-]+/g, replacement: mask },
  {
    // Of 13 digits or more, looked for first: dates and ids are no cards, and every line has some. A UUID is taken whole:
    // its groups may happen to have no letters.
    pattern: new RegExp(
      String.raw`\b([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\b|(?=\d(?:[ -]*\d){12})${CREDIT_CARD_NUMBER_PATTERN.pattern.source}`,
      'gi',
    ),
    replacement: (match: string, id: string | undefined): string => id ?? maskCard(match),
  },
  { pattern: /\b(Bearer|Basic)\s+(?!\[redacted\])[\w.~+/=-]{8,}/gi, replacement: `$1 ${mask}` },
  { pattern: /\/\/[^\s/:@"]*:[^\s/"]+@/g, replacement: `//${mask}@` },
]

const withoutAssignments = (text: string): string =>
  anyName.test(text) ? text.replaceAll(assignment, `$1${mask}`) : text

/** Text without what looks like a secret. */
export const redactedText = (text: string): string =>
  withoutAssignments(
    patterns.reduce(
      (rest, { pattern, replacement }) => rest.replaceAll(pattern, replacement as string),
      text,
    ),
  )

/** The same for a JSON value that somebody is to see. */
export const redactedValue = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (secretFields.some((name) => name.test(key))) return mask
      return typeof inner === 'string' ? redactedText(inner) : inner
    }),
  )

/** Two nets: by the name of a field at any depth, then by the look of a value anywhere in the finished line. */
export const redactedSink = (write: (line: string) => void, format: TextFormatter): Sink => {
  const formatLine = redactByPattern((record) => format(record), patterns)
  return redactByField((record) => write(withoutAssignments(formatLine(record))), {
    fieldPatterns: secretFields,
    action: () => mask,
  })
}
