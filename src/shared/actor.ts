import type { Scope } from './scopes.ts'

export const roles = ['user', 'admin'] as const

export type Role = (typeof roles)[number]

/** Somebody who is logged in, as the access token claims. */
export type UserActor = { kind: 'user'; id: string; role: Role; sessionId: string }

/** A program with an API key, as the key's object knows it: it acts for `id`, the account that made the key. */
export type KeyActor = {
  kind: 'apiKey'
  id: string
  /** What the account was when it made the key: a later promotion gives the key nothing. */
  role: Role
  keyId: string
  /** SHA-256 (hex) of the key that was sent. */
  secretHash: string
  scopes: readonly Scope[]
}

/** Work of our own (a job, a cron), in the name of the account `id`. */
type SystemActor = { kind: 'system'; id: string; role: Role }

/**
 * Who acts. What a credential claims is confirmed by the database in the batch that relies on it (auth/actor-guard.ts);
 * what each may do is the table of can.ts.
 */
export type Actor = UserActor | KeyActor | SystemActor
