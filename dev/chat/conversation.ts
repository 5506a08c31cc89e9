import type { Chat, Client, Room, User } from '../../src/client/index.ts'
import { follow } from './follow.ts'
import { createNames } from './names.ts'
import type { Terminal } from './terminal.ts'

export type Subject = { type: 'support' | 'order' | 'product'; id?: string }

type Options = { client: Client; chat: Chat; user: User; print: Terminal['print']; id: string }

/** A conversation that the user takes part in: `enter` prints what happens there until it is left. */
export const findConversation = async ({ client, chat, user, print, id }: Options) => {
  const params = { path: { id } }
  const load = async () => (await client.get('/api/v1/conversations/{id}', { params })).data
  let detail = await load()
  if (!detail.members.some(({ userId }) => userId === user.id)) {
    detail = (await client.post('/api/v1/conversations/{id}/members', { params, body: { userId: user.id } }))
      .data
  }
  const { customer, members } = detail
  const { type, id: of } = detail.subject
  // An order names its customer; whoever else asks for support or about a product opens a conversation of their own.
  const canReopen = customer.id === user.id || (type === 'order' && user.role === 'admin')
  const known = [
    ...members,
    { userId: customer.id, name: customer.name },
    { userId: user.id, name: user.name },
  ]
  const names = createNames({ known, load: async () => (await load()).members })
  const enter = () => {
    const room = chat.join(id)
    const following = follow({ room, names, self: user, print, canReopen, customer: customer.name })
    return {
      room,
      following,
      canReopen,
      subject: { type, ...(of === null ? {} : { id: of }) } satisfies Subject,
      /** What was typed before goes out first. */
      async leave(): Promise<void> {
        await untilSent(room)
        await following.settled()
        following.stop()
        room.close()
      },
    }
  }
  return { enter }
}

export type Conversation = ReturnType<Awaited<ReturnType<typeof findConversation>>['enter']>

const untilSent = async (room: Room, patience = 10_000): Promise<void> => {
  const until = Date.now() + patience
  while (room.view.isPending && room.view.status !== 'closed' && Date.now() < until) {
    await new Promise((done) => setTimeout(done, 50))
  }
}
