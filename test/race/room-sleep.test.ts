import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../../src/shared/ids.ts'
import { openRawSocket } from '../bench/chat/raw-socket.ts'
import { createApi, inParallel } from '../support/api.ts'
import { makeMutant } from '../support/mutant.ts'
import { startStack } from '../support/stack.ts'
import { until } from './job-world.ts'

const password = 'Selvedge-Dev-1!'

const users = 20
const socketsEach = 5

/** workerd lets an object go that has had nothing to do for ten seconds. */
const idle = 15_000
const tries = 3

const addUsers = `
  insert into users (id, name, email, password_hash, role)
  select gen_random_uuid(), 'Sleeper ' || n, 'sleeper-' || n || '@selvedge.test', password_hash, 'user'
  from generate_series(1, $1::int) as n,
    (select password_hash from users where role = 'user' and email like '%@selvedge.test' limit 1) as known
  returning id, email`

const addRoom = `
  with room as (
    insert into conversations (id, customer_id, subject_type, subject_id, version)
    values ($1, ($2::uuid[])[1], 'product', $1, cardinality($2::uuid[])) returning id
  )
  insert into conversation_members (conversation_id, user_id, role, version)
  select room.id, member.id, 'customer', n from room, unnest($2::uuid[]) with ordinality as member (id, n)`

type Listener = { say: (text: string) => void; heard: string; ended: () => string | undefined }

const listen = async (port: number, room: string, token: string): Promise<Listener> => {
  const listener: Listener = { say: () => undefined, heard: '', ended: () => undefined }
  const socket = await openRawSocket({
    port,
    path: `/api/v1/conversations/${room}/socket`,
    headers: { Authorization: `Bearer ${token}` },
    onText: (bytes, from, to) => (listener.heard += bytes.toString('utf8', from, to)),
  })
  socket.say('{"type":"resume","after":0,"batch":true}')
  return Object.assign(listener, { say: socket.say, ended: socket.ended })
}

/** All of them hear it. */
const speak = async (listeners: readonly Listener[], content: string): Promise<void> => {
  listeners[0]?.say(JSON.stringify({ type: 'send', clientId: content, content }))
  await until(() => listeners.every(({ heard }) => heard.includes(`"content":"${content}"`)), 20_000)
}

describe('an idle room with a hundred sockets', () => {
  const closers: (() => unknown)[] = []
  afterAll(async () => {
    for (const close of closers.toReversed()) await close()
  })

  it('sleeps, and wakes with all of them; the one beside it that has a timer does not sleep', async () => {
    const [room, control] = [newId(), newId()]
    const copy = makeMutant([
      {
        file: 'src/chat/calls.ts',
        remove: `if (kv.get('conversation') === undefined) kv.put('conversation', id)`,
        put: `if (kv.get('conversation') === undefined) {
          kv.put('conversation', id)
          if (id === '${control}') setInterval(() => undefined, 1_000)
        }`,
      },
    ])
    closers.push(copy.remove)
    const stack = await startStack({ cwd: copy.folder, env: { LOG_LEVEL: 'debug' }, patience: 180_000 })
    closers.push(stack.stop)
    const database = new pg.Client({ connectionString: stack.info().databaseUrl })
    await database.connect()
    const { rows } = await database.query<{ id: string; email: string }>(addUsers, [users])
    for (const id of [room, control]) await database.query(addRoom, [id, rows.map((row) => row.id)])
    await database.end()
    const api = createApi(stack.api)
    const tokens = await inParallel(2, rows, ({ email }) => api.login({ email, password }))
    const port = Number(new URL(stack.api).port)
    const everyone = tokens.flatMap((token) => Array.from({ length: socketsEach }, () => token))
    const sleepers = await inParallel(4, everyone, (token) => listen(port, room, token))
    const awake = await inParallel(4, tokens.slice(0, 5), (token) => listen(port, control, token))

    const starts = (id: string) =>
      stack
        .output()
        .split('\n')
        .filter((line) => line.includes('a room begins') && line.includes(`conversation=${id}`))
    await speak(sleepers, 'before')
    await speak(awake, 'before')
    expect([starts(room), starts(control)]).toEqual([[], []])
    for (let n = 1; n <= tries && starts(room).length === 0; n++) {
      await sleep(idle)
      await speak(sleepers, `after-${n}`)
      await speak(awake, `after-${n}`)
    }
    expect(starts(room)[0]).toContain(`sockets=${users * socketsEach}`)
    expect(starts(control)).toEqual([])
    expect([...sleepers, ...awake].map(({ ended }) => ended())).toEqual(
      Array.from({ length: sleepers.length + awake.length }, () => undefined),
    )
  })
})
