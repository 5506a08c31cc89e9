import { sql, type SQL } from 'drizzle-orm'
import type { Actor } from '../shared/actor.ts'
import { reachOf, type Action } from '../shared/can.ts'

/** The rows that the actor may do this to, `own` being what tells their own. */
export const withinReach = (actor: Actor | undefined, action: Action, own: SQL): SQL =>
  ({ none: sql`false`, own, any: sql`true` })[reachOf(actor, action)]
