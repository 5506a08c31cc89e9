import { styleText } from 'node:util'
import type { Chat, Client, Room, User } from '../../src/client/index.ts'
import { findConversation, type Conversation, type Subject } from './conversation.ts'
import { describe } from './describe.ts'
import { dim } from './lines.ts'
import type { Printed } from './screen.ts'
import type { Terminal } from './terminal.ts'
import { cut, plain, widthOf } from './text.ts'

export const help = `Type to send. Commands:
  /list            your conversations
  /join <n>        the n-th of that list
  /support         a conversation with support, found or opened
  /order <id>      a conversation about an order
  /reopen          this conversation, if it is closed
  /older           earlier messages
  /edit <text>     your last message, in other words
  /remove          your last message
  /quit            (or Ctrl-D)`

type Options = { client: Client; chat: Chat; user: User; terminal: Terminal }

/** What a user may ask for, and the conversation that is open. */
export const createCommands = ({ client, chat, user, terminal }: Options) => {
  const print = (text: string): void => void terminal.print(text)
  let listed: string[] = []
  let open: Conversation | undefined

  const list = async () => {
    const query = { scope: user.role === 'admin' ? ('all' as const) : ('mine' as const), limit: 20 }
    const { data } = await client.get('/api/v1/conversations', { params: { query } })
    listed = data.map(({ id }) => id)
    if (data.length === 0) print('No conversations yet: /support opens one.')
    for (const [n, { subject, customer, closed, unread, lastMessage }] of data.entries()) {
      const about = `${subject.type} ${subject.id?.slice(-6) ?? ''}`.trim()
      const title = `${n + 1}. ${plain(customer.name)}, ${about}${closed ? ' (closed)' : ''}`
      const news = unread ? styleText('yellow', ` ${unread} new`) : ''
      const [preview = ''] = plain(lastMessage?.content ?? '').split('\n')
      const head = `${title}${news}  `
      print(`${head}${dim(cut(preview, terminal.columns() - widthOf(head)))}`)
    }
  }

  const join = async (id: string) => {
    const { enter } = await findConversation({ client, chat, user, print: terminal.print, id })
    await open?.leave()
    open = enter()
  }

  const openAbout = async (subject: Subject) =>
    (await client.post('/api/v1/conversations', { body: { subject } })).data.id

  const reopen = async () => {
    if (open === undefined) return print('First /join a conversation.')
    if (!open.room.view.isClosed) return print('It is open.')
    if (!open.canReopen) return print('Only its customer can open it again.')
    await openAbout(open.subject)
  }

  const change = async (work: (room: Room, id: string) => Promise<void>) => {
    const id = open?.room.view.messages.findLast(
      (one) => one.id !== null && one.removedAt === undefined && one.from === user.id,
    )?.id
    if (open === undefined || typeof id !== 'string') return print('There is no message of yours here.')
    await work(open.room, id)
  }

  const commands: Record<string, (argument: string) => Promise<void> | void> = {
    help: () => print(help),
    list,
    async join(argument) {
      const id = listed[Number(argument) - 1] ?? (/^[0-9a-f-]{36}$/.test(argument) ? argument : undefined)
      if (id === undefined) return print('Which one? /list numbers them.')
      await join(id)
    },
    support: async () => await join(await openAbout({ type: 'support' })),
    order: async (id) => await join(await openAbout({ type: 'order', id })),
    reopen,
    async older() {
      if (open === undefined) return print('First /join a conversation.')
      open.following.showOlder(await open.room.history(20))
    },
    edit: (text) => change((room, id) => room.edit(id, text)),
    remove: () => change((room, id) => room.remove(id)),
    quit: () => terminal.close(),
  }

  const obey = async (text: string, echo: Printed): Promise<void> => {
    const [, name, argument = ''] = /^\/(\S+)\s*(.*)$/.exec(text) ?? []
    if (name !== undefined) {
      const command = Object.hasOwn(commands, name) ? commands[name] : undefined
      return command === undefined ? print('No such command: /help lists them.') : await command(argument)
    }
    if (text.trim() === '') return
    if (open === undefined) return print('First /join a conversation.')
    open.following.say(text, echo)
  }

  return {
    list,
    /** A line of the user's; what goes wrong is printed. */
    obey: async (text: string, echo: Printed): Promise<void> =>
      await obey(text, echo).catch((error: unknown) => print(describe(error))),
    leave: async (): Promise<void> => await open?.leave(),
  }
}
