import type { Role } from '../shared/actor.ts'
import type { Plan } from '../shared/plans.ts'
import type { Scope } from '../shared/scopes.ts'

/** What an object keeps of its key's row and its owner's; times in Unix milliseconds. */
export type KeyRecord = {
  userId: string
  role: Role
  scopes: readonly Scope[]
  plan: Plan
  secretHash: string
  previousHash: string | null
  previousUntil: number | null
  expiresAt: number | null
}

/** What the database says of a key: its record, that it has ended, or that there is none. */
export type Found = KeyRecord | 'revoked' | 'missing'

/** The record without what only the object needs. */
export type Owner = Pick<KeyRecord, 'userId' | 'role' | 'scopes'>

/** Does what was sent open the key now? */
export const opens = (record: KeyRecord, hash: string, now: number): boolean =>
  (record.expiresAt === null || now < record.expiresAt) &&
  (hash === record.secretHash ||
    (hash === record.previousHash && record.previousUntil !== null && now < record.previousUntil))
