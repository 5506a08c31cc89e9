import { setTimeout as sleep } from 'node:timers/promises'
import { createMailedTokens, type MailedTokenPurpose } from '../../src/users/mailed-token.ts'
import { countBy, type Reply } from '../support/api.ts'
import { behind } from './hold.ts'
import type { OpenWorld } from './world.ts'

export type AccountWorld = OpenWorld & { tokenSecret: string }

export const password = 'Selvedge-Dev-1!'

let accounts = 0
export const newEmail = () => `account-${++accounts}@people.example`

const outcomeOf = ({ status, body }: Reply) => `${status} ${body?.error?.code ?? ''}`.trim()

const outcomesOf = (replies: Reply[]) => countBy(replies, outcomeOf)

const lockUser = 'select from users where id = $1 for update'

/** A row with this address whose transaction has not ended: whoever writes the same address waits for what becomes of it. */
const takeAddress = `insert into users (id, name, email, password_hash, role)
  values (gen_random_uuid(), 'Somebody', $1, '', 'user')`

const newAccount = async ({ api, admin }: AccountWorld) => {
  const email = newEmail()
  const body = { name: 'Ada Byron', email, password, role: 'user' }
  const made = await api.call('POST', '/api/v1/users', { token: admin, body })
  return { id: made.body.data.id as string, email, token: await api.login({ email, password }) }
}

/** Accounts by the row, each with the password of a seeded one: their addresses. */
export const addAccounts = async ({ database }: AccountWorld, count: number): Promise<string[]> => {
  const emails = Array.from({ length: count }, newEmail)
  await database.query(
    `insert into users (id, name, email, password_hash, role)
      select gen_random_uuid(), 'Ada Byron', new.email, seeded.password_hash, 'user'
      from unnest($1::text[]) as new (email) cross join users as seeded where seeded.email = 'customer@selvedge.test'`,
    [emails],
  )
  return emails
}

type Account = Awaited<ReturnType<typeof newAccount>>

/** The token of the newest link of an account, as its mail has it. */
const newestToken = async (
  { database, tokenSecret }: AccountWorld,
  userId: string,
  purpose: MailedTokenPurpose,
): Promise<string> => {
  const { rows } = await database.query(
    'select id from mailed_tokens where user_id = $1 and purpose = $2 order by id desc limit 1',
    [userId, purpose],
  )
  return createMailedTokens(tokenSecret).of(rows[0].id)
}

/** One reset token, used by everybody at the same moment, each with a password of its own. */
export const resetAtOnce = async (world: AccountWorld, uses: number) => {
  const { id, email } = await newAccount(world)
  await world.api.call('POST', '/api/auth/forgot-password', { body: { email } })
  const token = await newestToken(world, id, 'resetPassword')
  const replies = await behind(world, { lock: [lockUser, id], waiting: 2 }, () =>
    Promise.all(
      Array.from({ length: uses }, (_, n) =>
        world.api.call('POST', '/api/auth/reset-password', {
          body: { token, password: `Warp-and-Weft-${n}` },
        }),
      ),
    ),
  )
  const { rows } = await world.database.query(
    'select count(*)::int as living from sessions where user_id = $1 and revoked_at is null',
    [id],
  )
  return { outcomes: outcomesOf(replies), living: rows[0].living }
}

/** Two people register the same new address at the same moment. */
export const registerAtOnce = async (world: AccountWorld) => {
  const email = newEmail()
  const replies = await behind(world, { lock: [takeAddress, email], waiting: 2, end: 'rollback' }, () =>
    Promise.all(
      ['Ada Byron', 'Grace Hopper'].map((name) =>
        world.api.call('POST', '/api/auth/register', { body: { name, email, password } }),
      ),
    ),
  )
  return { outcomes: outcomesOf(replies), accounts: await accountsOf(world, email) }
}

const accountsOf = async ({ database }: AccountWorld, email: string): Promise<number> => {
  const { rows } = await database.query('select count(*)::int as n from users where email = $1', [email])
  return rows[0].n
}

/** The token of the link by which an account's address becomes this one. */
const askChange = async (world: AccountWorld, { id, token }: Account, email: string): Promise<string> => {
  const body = { email, currentPassword: password }
  await world.api.call('POST', '/api/auth/change-email', { token, body })
  return await newestToken(world, id, 'changeEmail')
}

const confirm = ({ api }: AccountWorld, token: string) =>
  api.call('POST', '/api/auth/verify-email', { body: { token } })

/** Two accounts, each with a link of its own, confirm the same address at the same moment; `held`: after both stand before it. */
export const confirmSameAddress = async (world: AccountWorld, { held }: { held: boolean }) => {
  const email = newEmail()
  const tokens: string[] = []
  for (let n = 0; n < 2; n++) tokens.push(await askChange(world, await newAccount(world), email))
  const both = () => Promise.all(tokens.map((token) => confirm(world, token)))
  const replies = held
    ? await behind(world, { lock: [takeAddress, email], waiting: 2, end: 'rollback' }, both)
    : await both()
  return { outcomes: outcomesOf(replies), accounts: await accountsOf(world, email) }
}

/** One link of a change of address, used by everybody at the same moment. */
export const confirmAtOnce = async (world: AccountWorld, uses: number) => {
  const account = await newAccount(world)
  const token = await askChange(world, account, newEmail())
  const replies = await behind(world, { lock: [lockUser, account.id], waiting: 4 }, () =>
    Promise.all(Array.from({ length: uses }, () => confirm(world, token))),
  )
  const { rows } = await world.database.query(
    `select
      (select count(*)::int from jobs where subject_id::text = $1 and payload ->> 'template' = 'emailChanged') as notices,
      (select count(*)::int from audit_events where subject = $1 and action = 'email.confirmed') as events`,
    [account.id],
  )
  return { outcomes: outcomesOf(replies), ...rows[0] }
}

/** A key whose object has just loaded what it knows, and the limit that it tells. */
export const newKey = async (world: AccountWorld) => {
  const account = await newAccount(world)
  const body = { name: 'Warehouse', scopes: ['orders:read'] }
  const made = await world.api.call('POST', '/api/v1/api-keys', { token: account.token, body })
  const token: string = made.body.data.key
  const limit = async () => {
    const { headers } = await world.api.call('GET', '/api/v1/orders', { token })
    return Number(headers.get('X-RateLimit-Limit'))
  }
  return { ownerId: account.id, limit }
}

/** Milliseconds until the key tells another limit; undefined when that takes longer than `patience`. */
export const untilLimitIs = async (
  { limit }: Awaited<ReturnType<typeof newKey>>,
  wanted: number,
  patience: number,
): Promise<number | undefined> => {
  for (const started = performance.now(); performance.now() - started < patience; await sleep(50)) {
    if ((await limit()) === wanted) return performance.now() - started
  }
  return undefined
}
