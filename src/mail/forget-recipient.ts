import { sql, type SQL } from 'drizzle-orm'

/** For the batch that deletes an account: its addresses leave the record of what was sent. */
export const forgetRecipient = (userId: string): SQL =>
  sql`update mail_deliveries set recipient = null where user_id = ${userId} and recipient is not null`
