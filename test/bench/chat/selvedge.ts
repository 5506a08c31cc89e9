import type { Client } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../context.ts'
import { productEnv, tokenOf } from '../product.ts'
import { startWorker, type Worker } from '../workerd.ts'
import { openRawSocket, type RawSocket } from './raw-socket.ts'
import { createRoomLoad, type Dialect, type RoomLoad } from './room-load.ts'

const addUsers = `
  with added as (
    insert into users (id, name, email, password_hash, role)
    select gen_random_uuid(), 'Member ' || n, gen_random_uuid() || '@chat.example.com', '-', 'user'
    from generate_series(1, $1::int) as n returning id
  )
  insert into sessions (id, user_id, expires_at)
  select gen_random_uuid(), id, now() + interval '1 day' from added returning id as "sessionId", user_id as id`

const addConversation = `
  insert into conversations (id, customer_id, subject_type, subject_id, version)
  select id, $1, 'product', id, $2 from (select gen_random_uuid() as id) as made returning id`

const addMembers = `
  insert into conversation_members (conversation_id, user_id, role, version)
  select $1, id, 'customer', n from unnest($2::uuid[]) with ordinality as member (id, n)`

export type Person = { id: string; sessionId: string }

export const createPeople = async (client: Client, count: number): Promise<Person[]> => {
  const { rows } = await client.query<Person>(addUsers, [count])
  return rows
}

/** A conversation of all of them, as PostgreSQL has it. */
export const createConversation = async (client: Client, members: readonly Person[]): Promise<string> => {
  const { rows } = await client.query<{ id: string }>(addConversation, [members[0]?.id, members.length])
  const id = rows[0]?.id ?? ''
  await client.query(addMembers, [id, members.map((member) => member.id)])
  return id
}

/** The product, as it is deployed, with the limits out of the way. */
export const startSelvedge = async ({ builds, databases }: Context, objects?: string) => {
  const { url, endpoint, client } = await databases.catalogue(1_000)
  const worker = await startWorker(await builds.of('selvedge'), productEnv(url, endpoint), objects)
  return { worker, client }
}

type Joining = { worker: Worker; room: string; person: Person; resume: object }

/** The upgrade of a member, and `resume`. */
export const join = async (
  { worker, room, person, resume }: Joining,
  onText: (bytes: Buffer, from: number, to: number) => void,
): Promise<RawSocket> => {
  const socket = await openRawSocket({
    port: worker.port,
    path: `/api/v1/conversations/${room}/socket`,
    headers: {
      ...{ Host: 'bench.example.com', 'CF-Connecting-IP': '192.0.2.1' },
      Authorization: `Bearer ${await tokenOf(person)}`,
    },
    onText,
  })
  socket.say(JSON.stringify({ type: 'resume', ...resume }))
  return socket
}

const ack = Buffer.from('{"type":"ack"')
const flow = '{"type":"flow"'

/** What a room of that many says and hears. The log begins with the joining of each. */
const dialectOf = (members: number): Dialect => ({
  send: (clientId, content) => `{"type":"send","clientId":"${clientId}","content":"${content}"}`,
  report: (n) => `{"type":"delivered","seq":${members + n}}`,
  alive: 'ping',
  acks(bytes, from, to) {
    let count = 0
    for (let at = bytes.indexOf(ack, from); at >= 0 && at < to; at = bytes.indexOf(ack, at + ack.length))
      count += 1
    return count
  },
  // The answer is the question.
  answer: (bytes, from, to) => {
    const text = to - from < 40 ? bytes.toString('latin1', from, to) : ''
    return text.startsWith(flow) ? text : undefined
  },
})

/** A room with all of its members there. */
export const openRoom = async (
  { worker, client }: Awaited<ReturnType<typeof startSelvedge>>,
  people: readonly Person[],
  writers: number,
): Promise<RoomLoad> => {
  const room = await createConversation(client, people)
  const load = createRoomLoad(dialectOf(people.length), writers)
  for (const [member, person] of people.entries()) {
    load.add(await join({ worker, room, person, resume: { after: 0, batch: true } }, load.hear(member)))
  }
  await sleep(1_000) // until presence of all was told
  return load
}
