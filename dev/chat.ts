// `npm run chat`: a conversation in a terminal, over `selvedge/client` and the stack that is running.
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs, stripVTControlCharacters, styleText } from 'node:util'
import { createChat, createClient, type Client, type Room, type RoomMessage } from '../src/client/index.ts'
import { openState } from './state.ts'

const help = `Type to send. Commands:
  /list            your conversations
  /join <n>        the n-th of that list
  /support         a conversation with support, found or opened
  /order <id>      a conversation about an order
  /older           earlier messages
  /edit <text>     your last message, in other words
  /remove          your last message
  /quit            (or Ctrl-D)`

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : ''
  const details = 'details' in error && error.details !== undefined ? ` ${JSON.stringify(error.details)}` : ''
  return `${code}${error.message}${details}`
}

const usage = `npm run chat -- [--url <API>] [--email <address>] [--password <password>]
Without them: the stack that is running, and its demonstration customer.`

const readArguments = () => {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string' },
        email: { type: 'string' },
        password: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return values
  } catch (error) {
    console.error(`${describe(error)}\n${usage}`)
    process.exit(1)
  }
}

const values = readArguments()
if (values.help === true) {
  console.log(`${usage}\n\n${help}`)
  process.exit(0)
}

const info = openState(resolve(join(import.meta.dirname, '..'), process.env.STATE_DIR || '.local')).readInfo()
const url = values.url ?? info?.urls.api
if (url === undefined) {
  console.error('Nothing is running: start it with `npm run dev`, or name an API with `-- --url https://…`.')
  process.exit(1)
}

const terminal = createInterface({
  input: process.stdin,
  output: process.stdout,
  terminal: process.stdin.isTTY,
})

/** From now on: what is piped in may end before the login has. */
const lines = terminal[Symbol.asyncIterator]()

/** Above the line that is being written. */
const print = (text: string): void => {
  if (!process.stdin.isTTY) return void process.stdout.write(`${text}\n`)
  process.stdout.write(`\r\u001b[K${text}\n`)
  terminal.prompt(true)
}

const dim = (text: string) => styleText('dim', text)

const ask = async (question: string, preset: string): Promise<string> =>
  (await terminal.question(`${question} [${preset}] `)).trim() || preset

const login = async (client: Client) => {
  const known = info?.logins.find(({ role }) => role === 'user')
  const email = values.email ?? (await ask('E-mail address', known?.email ?? ''))
  const preset = info?.logins.find((one) => one.email === email)?.password ?? ''
  const password = values.password ?? (preset || (await terminal.question('Password ')))
  return await client.session.login({ email, password, device: 'npm run chat' })
}

const ticks: Record<RoomMessage['state'], string> = {
  sending: '…',
  failed: '!',
  sent: '✓',
  delivered: '✓✓',
  read: '✓✓ read',
  received: '',
}

/** What others write must not move the cursor or ring the bell. */
const plain = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- those are what is taken out
  stripVTControlCharacters(text).replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')

/** A conversation as it goes: what comes is printed, and so is what becomes of one's own last message. */
const follow = (room: Room, names: Map<string, string>) => {
  const nameOf = (from: string | null) => (from === null ? '—' : (names.get(from) ?? from.slice(-6)))
  const line = ({
    at,
    from,
    content,
    attachments = [],
    removedAt,
  }: Pick<RoomMessage, 'at' | 'from' | 'content' | 'attachments' | 'removedAt'>) => {
    const said = [...attachments.map(({ name }) => dim(`[${plain(name)}]`)), plain(content)]
    const text = removedAt === undefined ? said.filter((part) => part !== '').join(' ') : dim('removed')
    return `${dim(at.slice(11, 16))} ${styleText('bold', plain(nameOf(from)))}  ${text}`
  }
  let told = ''
  const stops = [
    room.on('status', ({ status, error }) =>
      print(dim(`(${status}${error === undefined ? '' : `: ${describe(error)}`})`)),
    ),
    room.on('message', (message) => {
      print(line(message))
      room.markRead()
    }),
    room.on('messageEdited', ({ content }) => print(dim(`(edited) ${plain(content)}`))),
    room.on('messageRemoved', () => print(dim('(a message was removed)'))),
    room.on('member', ({ userId, change }) => print(dim(`(${plain(nameOf(userId))} ${change})`))),
    room.on('presence', ({ userId, status }) => print(dim(`(${plain(nameOf(userId))} is ${status})`))),
    room.on('reset', () => print(dim('(the log begins anew)'))),
    room.watch(() => {
      const own = room.view.messages.findLast(({ state }) => state !== 'received')
      const now = own === undefined ? '' : `${own.clientId} ${ticks[own.state]}`
      if (own !== undefined && now !== told && own.state !== 'sending')
        print(dim(`      ${ticks[own.state]}`))
      told = now
    }),
  ]
  return { line, stop: () => stops.forEach((stop) => stop()) }
}

const main = async (): Promise<void> => {
  const client = createClient({ url, onEnded: () => print(dim('(the session has ended)')) })
  const chat = createChat({ url, getTicket: client.getTicket })
  const user = await login(client)
  print(`Signed in at ${url} as ${plain(user.name)}. /help lists what there is.`)

  let listed: string[] = []
  let open: { room: Room; following: ReturnType<typeof follow> } | undefined

  const list = async () => {
    const query = { scope: user.role === 'admin' ? ('all' as const) : ('mine' as const), limit: 20 }
    const { data } = await client.get('/api/v1/conversations', { params: { query } })
    listed = data.map(({ id }) => id)
    if (data.length === 0) print('No conversations yet: /support opens one.')
    for (const [n, { subject, customer, unread, lastMessage }] of data.entries()) {
      const news = unread ? styleText('yellow', ` ${unread} new`) : ''
      const last = dim(plain(lastMessage?.content ?? '').split('\n')[0] ?? '')
      print(
        `${n + 1}. ${plain(customer.name)}, ${subject.type} ${subject.id?.slice(-6) ?? ''}${news}  ${last}`,
      )
    }
  }

  const enter = async (id: string) => {
    const params = { path: { id } }
    let { data } = await client.get('/api/v1/conversations/{id}', { params })
    if (!data.members.some(({ userId }) => userId === user.id)) {
      data = (await client.post('/api/v1/conversations/{id}/members', { params, body: { userId: user.id } }))
        .data
    }
    open?.following.stop()
    open?.room.close()
    const room = chat.join(id)
    open = { room, following: follow(room, new Map(data.members.map(({ userId, name }) => [userId, name]))) }
  }

  const openAbout = async (subject: { type: 'support' | 'order'; id?: string }) =>
    await enter((await client.post('/api/v1/conversations', { body: { subject } })).data.id)

  const lastOwn = () =>
    open?.room.view.messages.findLast(
      ({ id, removedAt, from }) => id !== null && removedAt === undefined && from === user.id,
    )?.id

  const change = async (work: (room: Room, id: string) => Promise<void>) => {
    const id = lastOwn()
    if (open === undefined || typeof id !== 'string') return print('There is no message of yours here.')
    await work(open.room, id)
  }

  const commands: Record<string, (argument: string) => Promise<void> | void> = {
    help: () => print(help),
    list,
    async join(argument) {
      const id = listed[Number(argument) - 1] ?? (/^[0-9a-f-]{36}$/.test(argument) ? argument : undefined)
      if (id === undefined) return print('Which one? /list numbers them.')
      await enter(id)
    },
    support: () => openAbout({ type: 'support' }),
    order: (id) => openAbout({ type: 'order', id }),
    async older() {
      if (open === undefined) return print('First /join a conversation.')
      const page = await open.room.history(20)
      for (const message of page) print(open.following.line(message))
      if (page.length === 0) print(dim('(this is the beginning)'))
    },
    edit: (text) => change((room, id) => room.edit(id, text)),
    remove: () => change((room, id) => room.remove(id)),
    quit: () => terminal.close(),
  }

  /** A line of the user's. */
  const obey = async (text: string): Promise<void> => {
    const [, name, argument = ''] = /^\/(\S+)\s*(.*)$/.exec(text) ?? []
    if (name !== undefined) {
      const command = Object.hasOwn(commands, name) ? commands[name] : undefined
      return command === undefined ? print('No such command: /help lists them.') : await command(argument)
    }
    if (text.trim() === '') return
    if (open === undefined) return print('First /join a conversation.')
    // Shown at once, in order; what becomes of it is told as it comes.
    open.room.send(text).catch((error: unknown) => print(`Not sent. ${describe(error)}`))
  }

  await list()
  if (process.stdin.isTTY) terminal.prompt()
  for await (const text of lines) {
    await obey(text).catch((error: unknown) => print(describe(error)))
    if (process.stdin.isTTY) terminal.prompt()
  }
  // What was typed before the end goes out before it.
  await untilSent(open?.room)
  open?.following.stop()
  chat.close()
  await client.session.logout().catch(() => undefined)
}

const untilSent = async (room: Room | undefined, patience = 10_000): Promise<void> => {
  const until = Date.now() + patience
  while (room?.view.messages.some(({ state }) => state === 'sending') === true && Date.now() < until) {
    await new Promise((done) => setTimeout(done, 50))
  }
}

try {
  await main()
} catch (error) {
  console.error(describe(error))
  process.exitCode = 1
} finally {
  terminal.close()
}
