import { commonPasswords } from './common-passwords.ts'

const minLength = 8
const maxLength = 128

const lookAlikes: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

const withoutEnds = (text: string): string => text.replace(/^[^a-z]+|[^a-z]+$/g, '')

const withoutSymbolsAround = (text: string): string => text.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')

const withoutLookAlikes = (text: string): string =>
  text.replace(/[0134570@$!]/g, (sign) => lookAlikes[sign] ?? sign)

/** The demanded classes turn `password` into `P@ssw0rd1!`, which guessers try just as early. */
const isCommon = (password: string): boolean => {
  const lower = password.toLowerCase()
  const bare = withoutEnds(lower)
  const forms = [
    lower,
    withoutSymbolsAround(lower),
    bare,
    withoutLookAlikes(bare),
    withoutEnds(withoutLookAlikes(lower)),
  ]
  return forms.some((form) => commonPasswords.has(form))
}

const rules: [(password: string) => boolean, string][] = [
  [(password) => password.length >= minLength, `must have at least ${minLength} characters`],
  [(password) => password.length <= maxLength, `must have at most ${maxLength} characters`],
  [(password) => /\p{Lu}/u.test(password), 'must contain an upper-case letter'],
  [(password) => /\p{Ll}/u.test(password), 'must contain a lower-case letter'],
  [(password) => /\p{Nd}/u.test(password), 'must contain a digit'],
  [(password) => /[^\p{L}\p{N}\s]/u.test(password), 'must contain a symbol'],
  [(password) => !isCommon(password), 'is one of the most common passwords'],
]

/** Each rule that a password breaks; empty when it may be used. */
export const passwordProblems = (password: string): string[] => {
  // The hash is of this form too: full-width letters are no other password.
  const normal = password.normalize('NFKC')
  return rules.flatMap(([holds, problem]) => (holds(normal) ? [] : [problem]))
}
