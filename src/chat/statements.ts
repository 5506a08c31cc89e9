import { sql, type SQL } from 'drizzle-orm'

/** For the transaction that changes an order's status: whether there is somebody to tell. */
export const hasConversation = (orderId: string): SQL =>
  sql`exists (select from conversations where subject_type = 'order' and subject_id = ${orderId})`
