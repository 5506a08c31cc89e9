import { sql, type SQL } from 'drizzle-orm'
import { recordAudit } from '../audit/record.ts'
import { enqueueEach, type Origin } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'

const liveKeysOf = (userId: string): SQL =>
  sql`from api_keys where user_id = ${userId} and revoked_at is null`

/** For a batch that changes an account: each of its keys' objects is told by a job. Answers the jobs' ids. */
export const renewKeysOf = (userId: string, origin: Origin): SQL =>
  enqueueEach(
    'apiKey.renew',
    sql`select gen_random_uuid(), jsonb_build_object('keyId', id), id ${liveKeysOf(userId)}`,
    origin,
  )

type Ending = { actor: Actor; requestId: string; reason: string; which?: SQL }

/** Behind `renewKeysOf`: ends the keys of an account, all or those that `which` names, with an audit entry each. */
export const endKeysOf = (
  userId: string,
  { actor, requestId, reason, which = sql`true` }: Ending,
): SQL => sql`
  with ended as (
    update api_keys set revoked_at = now()
    where user_id = ${userId} and revoked_at is null and ${which} returning id
  )
  ${recordAudit({
    actor,
    action: 'apiKey.revoked',
    reason,
    requestId,
    changes: sql`select id::text, null::jsonb, null::jsonb from ended`,
  })}`
