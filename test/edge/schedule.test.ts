import { createExecutionContext, createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, it } from 'vitest'
import worker from '../../workers/index.ts'
import { takeLines } from '../support/edge-console.ts'
import { endEarlierObjects } from '../support/edge-objects.ts'
import { newUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

endEarlierObjects()

const cron = '17 * * * *'

const run = async () =>
  await worker.scheduled(
    createScheduledController({ cron, scheduledTime: Date.UTC(2026, 10, 20) }),
    env,
    createExecutionContext(),
  )

const kept = async (userId: string) =>
  (
    await sql<{ user_agent: string }>('select user_agent from sessions where user_id = $1 order by 1', [
      userId,
    ])
  ).map(({ user_agent }) => user_agent)

beforeEach(async () => {
  await sql('delete from sessions')
})

it('purges expired sessions and keeps all others', async () => {
  const { id } = await newUser()
  await sql(
    `insert into sessions (id, user_id, user_agent, created_at, expires_at, revoked_at)
      select gen_random_uuid(), $1, name, now() - interval '40 days', now() + expires, revoked
      from (values
        ('expired long ago', interval '-10 days', null::timestamptz),
        ('expired just now', interval '-1 second', null),
        ('expired and revoked', interval '-1 day', now()),
        ('expires soon', interval '1 minute', null),
        ('live', interval '20 days', null),
        ('revoked', interval '20 days', now())
      ) as row (name, expires, revoked)`,
    [id],
  )
  await sql('delete from sessions where user_agent is null')
  takeLines()
  await run()
  expect(await kept(id)).toEqual(['expires soon', 'live', 'revoked'])
  const lines = takeLines()
  expect(lines.find((line) => line.includes('expired rows purged'))).toMatch(/sessions=3/)
  for (const line of lines) expect(line).toMatch(/requestId=[\w-]{36}/)
})

it('purges refresh tokens 30 days after they were spent, and mailed ones a week after their end', async () => {
  const { id, sessionId } = await newUser()
  await sql(
    `insert into refresh_tokens (token_hash, session_id, spent_at, successor_hash)
      select sha256(name::bytea), $1::uuid, now() - spent, sha256('next') from (values
        ('29 days ago', interval '29 days'), ('31 days ago', interval '31 days')) as row (name, spent)
      union all select sha256('live'), $1::uuid, null, null`,
    [sessionId],
  )
  await sql(
    `insert into mailed_tokens (id, user_id, purpose, token_hash, created_at, expires_at)
      select gen_random_uuid(), $1::uuid, 'resetPassword', sha256(name::bytea), now() - interval '9 days', now() - over
      from (values ('6 days ago', interval '6 days'), ('8 days ago', interval '8 days')) as row (name, over)`,
    [id],
  )
  await run()
  const left = await sql<{ n: number }>(
    `select (select count(*)::int from refresh_tokens
        where token_hash in (sha256('29 days ago'), sha256('live')) and session_id = $1) as n
      union all select count(*)::int from refresh_tokens where session_id = $1
      union all select count(*)::int from mailed_tokens where user_id = $2 and token_hash = sha256('6 days ago')
      union all select count(*)::int from mailed_tokens where user_id = $2`,
    [sessionId, id],
  )
  expect(left.map(({ n }) => n)).toEqual([2, 2, 1, 1])
})

it('purges more than one statement may delete', async () => {
  const { id } = await newUser()
  await sql(
    `insert into sessions (id, user_id, created_at, expires_at)
      select gen_random_uuid(), $1, now() - interval '40 days', now() - interval '1 day' from generate_series(1, 10050)`,
    [id],
  )
  await run()
  expect(await sql('select from sessions where expires_at < now()')).toHaveLength(0)
})

it('purges idempotency keys after 24 hours', async () => {
  const { id } = await newUser()
  await sql(
    `insert into idempotency_keys (actor_id, operation, key, request_hash, status, reply, created_at)
      select $1, 'placeOrder', name, sha256('x'), 201, '{}', now() - age
      from (values ('fresh', interval '0'), ('late', interval '23 hours 59 minutes'), ('gone', interval '24 hours 1 second'))
        as row (name, age)`,
    [id],
  )
  await run()
  const rows = await sql<{ key: string }>('select key from idempotency_keys where actor_id = $1 order by 1', [
    id,
  ])
  expect(rows.map(({ key }) => key)).toEqual(['fresh', 'late'])
})

it('purges what is known of mails after 90 days, and keeps suppressed addresses', async () => {
  await sql('truncate mail_events, mail_deliveries, mail_suppressions')
  await sql(
    `with row (status, age) as (
        values ('sent', interval '89 days 23 hours'), ('bounced', interval '90 days 1 minute')
      ), delivery as (
        insert into mail_deliveries (job_id, template, status, request_id, created_at)
        select gen_random_uuid(), 'orderConfirmed', status, 'request-1', now() - age from row returning *
      ), suppressed as (
        insert into mail_suppressions (address_hash, reason, created_at)
        values (sha256('ada@people.example'), 'bounced', now() - interval '5 years')
      )
      insert into mail_events (id, type, job_id, occurred_at, received_at)
      select status, 'email.sent', null, created_at, created_at from delivery
      union all select 'of ' || status, 'email.sent', job_id, created_at, now() from delivery`,
  )
  await run()
  expect(await sql('select status from mail_deliveries')).toEqual([{ status: 'sent' }])
  expect(await sql('select id from mail_events order by 1')).toEqual([{ id: 'of sent' }, { id: 'sent' }])
  expect(await sql('select from mail_suppressions')).toHaveLength(1)
})

it('does nothing when there is nothing to do', async () => {
  takeLines()
  await run()
  expect(takeLines().join()).toMatch(/sessions=0 idempotencyKeys=0 jobs=0 mailRecords=0/)
})
