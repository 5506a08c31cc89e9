import pg from 'pg'
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
  await database.end()
  const admin = await api.login({ email: 'admin@selvedge.test', password })
  const shelf = await api.call('GET', '/api/v1/products?limit=100')
  const products: string[] = shelf.body.data.map(({ id }: { id: string }) => id)
  const clients = new Set<ChatClient>()

  return {
    stack,
    customers,

    /** A conversation about a product of its own; its id. */
    async addRoom([first, ...others]: readonly Person[]): Promise<string> {
      const subject = { type: 'product', id: products.pop() }
      const { status, body } = await api.call('POST', '/api/v1/conversations', {
        token: first?.token ?? '',
        body: { subject },
      })
      if (status !== 201) throw new Error(`A conversation: ${status} ${JSON.stringify(body)}`)
      const { id } = body.data
      for (const { id: userId } of others) {
        await api.call('POST', `/api/v1/conversations/${id}/members`, { token: admin, body: { userId } })
      }
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
      await stack.stop()
      copy.remove()
    },
  }
}
