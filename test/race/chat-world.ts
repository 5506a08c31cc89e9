import pg from 'pg'
import { newId } from '../../src/shared/ids.ts'
import { createApi, inParallel } from '../support/api.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { startStack } from '../support/stack.ts'
import { startClient, type ChatClient } from './chat-client.ts'

const password = 'Selvedge-Dev-1!'

export type Person = { id: string; token: string }

export type ChatWorld = Awaited<ReturnType<typeof openChatWorld>>

/** A stack, customers who have signed in, and rooms and clients as a test wants them. */
export const openChatWorld = async (people: number, mutations: Mutation[] = []) => {
  const copy = makeMutant(mutations)
  const stack = await startStack({ cwd: copy.folder, env: { LOG_LEVEL: 'warn' }, patience: 180_000 })
  const database = new pg.Client({ connectionString: stack.info().databaseUrl })
  await database.connect()
  const api = createApi(stack.api)
  const { rows } = await database.query<{ id: string; email: string }>(
    `select id, email from users where role = 'user' and email like '%@selvedge.test' order by id limit $1`,
    [people],
  )
  const customers = await inParallel(2, rows, async ({ id, email }): Promise<Person> => ({
    id,
    token: await api.login({ email, password }),
  }))
  const clients = new Set<ChatClient>()

  return {
    stack,
    customers,

    /** Its id. */
    async addRoom(members: readonly Person[]): Promise<string> {
      const id = newId()
      await database.query(
        `insert into conversations (id, customer_id, subject_type, subject_id, version) values ($1, $2, 'product', $1, $3)`,
        [id, members[0]?.id, members.length],
      )
      await database.query(
        `insert into conversation_members (conversation_id, user_id, role, version)
          select $1, id, 'customer', n from unnest($2::uuid[]) with ordinality as member (id, n)`,
        [id, members.map((member) => member.id)],
      )
      return id
    },

    /** `pause`: milliseconds between an ack and the next message. */
    join({ id, token }: Person, room: string, pause: () => number = () => 0): ChatClient {
      const client = startClient({ api, name: `${id}@${room}`, token, room, pause })
      clients.add(client)
      return client
    },

    async close() {
      await Promise.all([...clients].map((client) => client.stop()))
      await database.end()
      await stack.stop()
      copy.remove()
    },
  }
}
