import type { z } from 'zod'
import type { Environment } from '../src/config.ts'
import { makeSigningKey } from './secrets.ts'

type Key = z.infer<typeof Environment>['JWT_KEYS'][number]

/** As long as verifiers may keep the key set of /.well-known/jwks.json, and a minute. */
const untilPublished = 6 * 60_000

/** The longest life of an access token, and a minute. */
const untilUnused = 16 * 60_000

const isRetired = ({ retiresAt }: Key, now: number): boolean =>
  retiresAt !== undefined && Date.parse(retiresAt) <= now

/**
 * JWT_KEYS with a new key, which signs once every verifier can know it; the one that signed until then retires when its
 * last token is over. Keys that have retired are left out.
 * @throws Error while an earlier rotation is still under way: there are two keys then
 */
export const rotateKeys = (keys: readonly Key[], now: number): Key[] => {
  const [signing, ...others] = keys.filter((key) => !isRetired(key, now))
  const at = (later: number): string => new Date(now + later).toISOString()
  if (signing === undefined) return [makeSigningKey(at(0).slice(0, 10))]
  const [retiring] = others
  if (retiring !== undefined) {
    throw new Error(`There are two keys already: the older retires at ${retiring.retiresAt ?? 'no time'}`)
  }
  const { signsFrom: _, ...older } = signing
  return [
    { ...makeSigningKey(at(0).slice(0, 10)), signsFrom: at(untilPublished) },
    { ...older, retiresAt: at(untilPublished + untilUnused) },
  ]
}
