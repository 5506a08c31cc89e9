import { createHash } from 'node:crypto'

/** A request that may be repeated: which operation, the client's key, and the SHA-256 (hex) of what it validly asks. */
export type IdempotentRequest = { operation: string; key: string; hash: string }

/** What a changing operation answers: its status and its body as text, made by the database with the change. */
export type Reply = { status: number; text: string; replayed: boolean }

/** A fast hash would betray a password that is kept behind scrypt: another password alone is no other request. */
const withoutSecrets = (name: string, value: unknown): unknown => (name === 'password' ? undefined : value)

export const hashRequest = (asked: unknown): string =>
  createHash('sha256').update(JSON.stringify(asked, withoutSecrets)).digest('hex')
