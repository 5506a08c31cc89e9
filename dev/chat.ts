// `npm run chat`: a conversation in a terminal, over `selvedge/client` and the stack that is running.
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createChat, createClient, type Client } from '../src/client/index.ts'
import { createCommands, help } from './chat/commands.ts'
import { describe } from './chat/describe.ts'
import { dim } from './chat/lines.ts'
import { createTerminal } from './chat/terminal.ts'
import { plain } from './chat/text.ts'
import { openState } from './state.ts'

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

const terminal = createTerminal(process.stdin, process.stdout)

const askPassword = async (email: string): Promise<string> => {
  const known = info?.logins.find((one) => one.email === email)?.password ?? ''
  // Who has named a demonstration login, or pipes, is not asked for what is known.
  if (known !== '' && (values.email !== undefined || !terminal.isInteractive)) return known
  return (
    (await terminal.askSecretly(known === '' ? 'Password ' : 'Password [as `npm run dev` says] ')) || known
  )
}

const login = async (client: Client) => {
  const preset = info?.logins.find(({ role }) => role === 'user')?.email ?? ''
  const email = values.email ?? ((await terminal.ask(`E-mail address [${preset}] `)).trim() || preset)
  const password = values.password ?? (await askPassword(email))
  return await client.session.login({ email, password, device: 'npm run chat' })
}

const main = async (): Promise<void> => {
  const client = createClient({ url, onEnded: () => terminal.print(dim('(the session has ended)')) })
  const chat = createChat({ url, getTicket: client.getTicket })
  try {
    const user = await login(client)
    terminal.print(`Signed in at ${url} as ${plain(user.name)}. /help lists what there is.`)
    const commands = createCommands({ client, chat, user, terminal })
    await commands.list()
    for await (const { text, echo } of terminal.lines()) await commands.obey(text, echo)
    await commands.leave()
  } finally {
    // An open room would keep the program alive.
    chat.close()
    if (client.session.user !== undefined) await client.session.logout().catch(() => undefined)
  }
}

try {
  await main()
} catch (error) {
  // The end of the input in place of an answer: who leaves at the login has not failed.
  const hasLeft = terminal.isInteractive && error instanceof Error && error.name === 'AbortError'
  if (!hasLeft) {
    console.error(describe(error))
    process.exitCode = 1
  }
} finally {
  terminal.close()
}
