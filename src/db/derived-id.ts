import { sql, type SQL } from 'drizzle-orm'

/**
 * The same id whenever it is made of the same text, of what must come into being once: a UUID of version 8 (RFC 9562,
 * section 5.8). Seven of eight bare MD5s are no UUID, and whatever parses a message or a path would refuse them.
 */
export const derivedId = (text: SQL): SQL =>
  sql`overlay(overlay(md5(${text}) placing '8' from 13) placing '8' from 17)::uuid`
