import { sql, type SQL } from 'drizzle-orm'
import { raiseIf } from '../db/raise.ts'

/** `hash` is the one that the current password was checked against: when it is another by now, so is the password. */
export const stillHasPassword = (id: string, hash: string): SQL =>
  raiseIf(
    'VALIDATION_FAILED',
    sql`select json_build_array(json_build_object('field', 'currentPassword', 'message', 'is wrong'))
      from users where id = ${id} and password_hash <> ${hash}`,
  )
