import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../../src/shared/ids.ts'
import { createApi, inParallel } from '../support/api.ts'
import { wrongHistories } from '../support/chat-history.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { startStack } from '../support/stack.ts'
import { startClient, type ChatClient } from './chat-client.ts'
import { killRuntime, until } from './job-world.ts'

const isFull = process.env['SELVEDGE_PROOF'] === 'full'

/** Clients are users times rooms. */
const size = isFull
  ? { users: 10, rooms: 20, messages: 20_000, kills: 20 }
  : { users: 10, rooms: 2, messages: 400, kills: 2 }

const password = 'Selvedge-Dev-1!'

/** Writes of messages that nobody waits for: an ack promises what is not there yet. */
const lateWrites: Mutation = {
  file: 'src/chat/runner.ts',
  remove: 'store.append(effect.event, effect.n)\n',
  put: 'setTimeout(() => store.append(effect.event, effect.n), 500)\n',
}

type Size = typeof size

/** A stack, users who are members of every room, and a client for each of both. */
const openWorld = async ({ users, rooms }: Pick<Size, 'users' | 'rooms'>, mutations: Mutation[] = []) => {
  const copy = makeMutant(mutations)
  const stack = await startStack({ cwd: copy.folder, env: { LOG_LEVEL: 'warn' }, patience: 180_000 })
  const database = new pg.Client({ connectionString: stack.info().databaseUrl })
  await database.connect()
  const api = createApi(stack.api)
  const { rows } = await database.query<{ id: string; email: string }>(
    `select id, email from users where role = 'user' and email like '%@selvedge.test' order by id limit $1`,
    [users],
  )
  const tokens = await inParallel(2, rows, ({ email }) => api.login({ email, password }))
  const ids = await inParallel(2, Array.from({ length: rooms }), async () => {
    const id = newId()
    await database.query(
      `insert into conversations (id, customer_id, subject_type, subject_id, version) values ($1, $2, 'product', $1, $3)`,
      [id, rows[0]?.id, users],
    )
    await database.query(
      `insert into conversation_members (conversation_id, user_id, role, version)
        select $1, id, 'customer', n from unnest($2::uuid[]) with ordinality as member (id, n)`,
      [id, rows.map((row) => row.id)],
    )
    return id
  })
  await database.end()
  const clients = ids.flatMap((room, r) =>
    tokens.map((token, u) =>
      startClient({ api, name: `${u}@${r}`, token, room, pause: () => Math.random() * (isFull ? 100 : 30) }),
    ),
  )
  return {
    stack,
    clients,
    async close() {
      await Promise.all(clients.map((client) => client.stop()))
      await stack.stop()
      copy.remove()
    },
  }
}

type World = Awaited<ReturnType<typeof openWorld>>

const isReadySince = (clients: readonly ChatClient[], moment: number): boolean =>
  clients.every(({ readyAt }) => (readyAt.at(-1) ?? 0) > moment)

/** Milliseconds from each kill until everyone was back. */
const throughKills = async (
  { stack, clients }: World,
  { messages, kills }: Pick<Size, 'messages' | 'kills'>,
): Promise<number[]> => {
  await until(() => isReadySince(clients, 0))
  for (const client of clients) client.want(Math.ceil(messages / clients.length / (kills + 1)))
  const waits: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    await sleep(100 + Math.random() * 900)
    const killed = Date.now()
    await killRuntime(stack)
    const up = Date.now()
    for (const client of clients) client.want(Math.ceil(messages / clients.length / (kills + 1)))
    await until(() => isReadySince(clients, killed))
    waits.push(Date.now() - up)
  }
  await until(() => clients.every((client) => client.isDone()), isFull ? 600_000 : 60_000)
  return waits
}

const judge = async ({ clients }: World) => {
  const heads = new Map<string, number>()
  for (const { room, promised, head } of clients) {
    heads.set(room, Math.max(heads.get(room) ?? 0, head(), ...promised.map(({ seq }) => seq)))
  }
  await until(() => clients.every((client) => client.isCurrent(heads.get(client.room) ?? 0)), 15_000).catch(
    () => undefined,
  )
  const promised = clients.flatMap((client) => client.promised)
  const heard = clients.map(({ name, room, events }) => ({ client: name, room, events }))
  return { wrong: wrongHistories(heard, promised, heads), promised }
}

describe(`${size.users * size.rooms} clients in ${size.rooms} rooms through ${size.kills} kills of the runtime`, () => {
  const worlds: World[] = []
  afterAll(() => Promise.all(worlds.map((world) => world.close())))

  it('lose nothing that was acknowledged, and hear everything once, in order, without a gap', async () => {
    const world = await openWorld(size)
    worlds.push(world)
    const waits = await throughKills(world, size)
    const { wrong, promised } = await judge(world)
    console.log(`back after ${waits.join(', ')} ms; ${promised.length} acknowledgements`)
    expect(wrong.slice(0, 10)).toEqual([])
    expect(new Set(promised.map(({ room, clientId }) => `${room} ${clientId}`)).size).toBeGreaterThanOrEqual(size.messages)
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000)
    expect(world.clients.every((client) => client.state().resyncs === 0)).toBe(true)
  }, isFull ? 1_500_000 : 240_000) // prettier-ignore

  it.runIf(isFull)('lose something when an ack does not wait for its write', async () => {
    const world = await openWorld({ users: 5, rooms: 1 }, [lateWrites])
    worlds.push(world)
    await throughKills(world, { messages: 300, kills: 3 }).catch(() => undefined)
    expect((await judge(world)).wrong.length).toBeGreaterThan(0)
  })
})
