import { sql, type SQL } from 'drizzle-orm'

/** The id that a text always gives: a UUID of version 8 (RFC 9562, section 5.8), since what is none is refused everywhere. */
export const derivedId = (text: SQL): SQL =>
  sql`overlay(overlay(md5(${text}) placing '8' from 13) placing '8' from 17)::uuid`
