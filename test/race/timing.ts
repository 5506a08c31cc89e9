import { median } from '../bench/statistics.ts'
import type { Mutation } from '../support/mutant.ts'

/** How far away the database is, so that a round trip more or less stands out of a busy machine's noise. */
const roundTripMs = 50

export const farDatabase: Mutation = {
  file: 'src/db/client.ts',
  remove: '  const response = await fetch(input, init)\n',
  put: `  await new Promise((resolve) => setTimeout(resolve, ${roundTripMs}))\n  const response = await fetch(input, init)\n`,
}

/** The steps by which an unknown address would be told from a known one: each of them cut short. */
export const shortCuts: Mutation[] = [
  {
    file: 'src/auth/service.ts',
    remove: 'if (!verifyPassword(password, found?.passwordHash) || found === undefined) throw',
    put: 'if (found === undefined || !verifyPassword(password, found.passwordHash)) throw',
  },
  {
    file: 'src/users/recovery-repository.ts',
    remove: 'async forgot({ email, tokenId, hash, minutes, mail }: Forgotten): Promise<void> {\n',
    put: `async forgot({ email, tokenId, hash, minutes, mail }: Forgotten): Promise<void> {
    const whose = sql\`select id, null from users where email = \${email}\`
    const [known] = await read([whose])
    if (known.rowCount === 0) return
    await write([addMailedToken(whose, { id: tokenId, purpose, hash, minutes })])
    return void (await write([enqueue(mail)]))\n`,
  },
  {
    file: 'src/users/service/registration.ts',
    remove: 'passwordHash: hashPassword(password) }',
    put: 'get passwordHash() { return hashPassword(password) } }',
  },
  {
    file: 'src/users/email-repository.ts',
    remove: 'async register({ id, name, email, passwordHash }: NewAccount, link: Link): Promise<void> {\n',
    put: `async register(account: NewAccount, link: Link): Promise<void> {
    const [known] = await write([sql\`select 1 from users where email = \${account.email}\`])
    if (known.rowCount > 0) return
    const { id, name, email, passwordHash } = account\n`,
  },
]

const warmUps = 3

/** Pairs after which a machine's noise is taken as it is. */
const mostPairs = 200

/** How many addresses of either kind one comparison may ask about. */
export const addressesNeeded = mostPairs + warmUps

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** z of 99 %. */
const z = 2.576

/** The median of these, and between what it lies with 99 %: ranks, so whatever the distribution. */
const estimate = (values: number[]) => {
  const sorted = values.toSorted((a, b) => a - b)
  const [middle, reach] = [sorted.length / 2, (z * Math.sqrt(sorted.length)) / 2]
  const at = (rank: number) => sorted[Math.min(Math.max(rank, 0), sorted.length - 1)] ?? NaN
  return {
    middle: median(values),
    low: at(Math.floor(middle - reach)),
    high: at(Math.ceil(middle + reach) - 1),
  }
}

export type Ask = (email: string) => Promise<unknown>

type Addresses = { known: () => string; unknown: () => string }

/**
 * Milliseconds of the same request about a known and about an unknown address, in pairs of which either is first in turn, each
 * about an address that nobody has asked about before. At least `pairs`, and up to 200 on a machine whose noise hides
 * whether they differ by more than `share` of what they take. `difference` is what the known one takes longer.
 */
export const comparePairs = async (
  ask: Ask,
  { known, unknown }: Addresses,
  { pairs, share }: { pairs: number; share: number },
) => {
  const [ofKnown, ofUnknown]: [number[], number[]] = [[], []]
  for (let n = -warmUps; ; n++) {
    const knownFirst = n % 2 === 0
    const a = await timed(() => ask(knownFirst ? known() : unknown()))
    const b = await timed(() => ask(knownFirst ? unknown() : known()))
    if (n < 0) continue
    ofKnown.push(knownFirst ? a : b)
    ofUnknown.push(knownFirst ? b : a)
    if (n + 1 < pairs) continue
    const difference = estimate(ofKnown.map((ms, pair) => ms - (ofUnknown[pair] ?? NaN)))
    const medians = { known: median(ofKnown), unknown: median(ofUnknown) }
    const bound = share * Math.max(medians.known, medians.unknown)
    const isClear =
      (difference.low > -bound && difference.high < bound) ||
      difference.low > bound ||
      difference.high < -bound
    if (isClear || n + 1 >= mostPairs) {
      return { ...medians, difference, pairs: n + 1, isSame: Math.abs(difference.middle) < bound }
    }
  }
}
