import type { Actor } from '../shared/actor.ts'
import { invalid } from '../shared/errors.ts'

type Deps = {
  users: { passwordHash: (actor: Actor) => Promise<string | undefined> }
  verifyPassword: (password: string, stored: string | undefined) => boolean
}

export type CurrentPassword = ReturnType<typeof createCurrentPassword>

/** A stolen access token must not be enough to take the account over. */
export const createCurrentPassword = ({ users, verifyPassword }: Deps) => ({
  /** The hash that it was checked against, which is to be the same when something is changed. @throws VALIDATION_FAILED */
  async check(actor: Actor, currentPassword: string | undefined): Promise<string> {
    if (currentPassword === undefined) throw invalid({ field: 'currentPassword', message: 'is required' })
    const hash = await users.passwordHash(actor)
    if (hash !== undefined && verifyPassword(currentPassword, hash)) return hash
    // No 401: the token is good, and a client must not take this for its end.
    throw invalid({ field: 'currentPassword', message: 'is wrong' })
  },
})
