import { customType, timestamp } from 'drizzle-orm/pg-core'

/** A moment in UTC with the milliseconds that the API shows. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

export const createdAndUpdated = {
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
}

export const bytea = customType<{ data: string }>({ dataType: () => 'bytea' })
