import { Command as RedisCommand, Redis } from 'ioredis'
import { isRefusal, Unreachable, type Command, type RedisEngine, type Reply } from './engine.ts'

type Options = { url: string; log: (line: string) => void }

const CONNECT_MS = 5_000
const MAX_PAUSE_MS = 1_000

// Upper case: ioredis reshapes the replies of the lower-case names it knows (HGETALL becomes an object).
const send = async (client: Redis, [name, ...args]: Command): Promise<unknown> =>
  client.sendCommand(new RedisCommand(name.toUpperCase(), args, { replyEncoding: null }))

const isReplyError = (value: unknown): value is Error => value instanceof Error && value.name === 'ReplyError'

const toReply = (value: unknown): Reply => {
  if (value === null || typeof value === 'number' || Buffer.isBuffer(value)) return value
  if (Array.isArray(value)) return value.map(toReply)
  if (isReplyError(value)) return { error: value.message }
  throw new Unreachable(value instanceof Error ? value.message : `a reply of type ${typeof value}`)
}

/** One connection for all: what could block it or change its state must not be sent. */
const createEngine = (client: Redis): RedisEngine => {
  // Written at once, so nothing comes between the commands of one call.
  const sendAll = async (commands: Command[]) => {
    if (client.status !== 'ready') throw new Unreachable('there is no connection')
    const outcomes = await Promise.allSettled(commands.map((command) => send(client, command)))
    return outcomes.map((outcome) =>
      toReply(outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as unknown)),
    )
  }

  return {
    run: sendAll,
    transact: async (commands) => {
      const answers = await sendAll([['MULTI'], ...commands, ['EXEC']])
      const executed = answers.at(-1)
      if (Array.isArray(executed)) return executed
      // Of the refusals the first says why; EXEC's own says only that there was one.
      return answers.find(isRefusal) ?? { error: 'EXECABORT' }
    },
    close: async () => client.disconnect(),
  }
}

const tellOutages = (client: Redis, log: (line: string) => void) => {
  let lost = false
  // After `disconnect` the status is 'end' or about to be: that is no outage.
  client.on('reconnecting', () => {
    if (!lost) log('redis: the connection is lost')
    lost = true
  })
  client.on('ready', () => {
    if (lost) log('redis: connected again')
    lost = false
  })
}

/** Connects, and again whenever the connection is lost; rejects with the reason when the first attempt fails. */
export const openRespEngine = async ({ url, log }: Options): Promise<RedisEngine> => {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(attempt * 50, MAX_PAUSE_MS),
  })
  let reason: Error | undefined
  client.on('error', (error: Error) => (reason ??= error))
  try {
    await client.connect()
  } catch (error) {
    client.disconnect()
    throw reason ?? error
  }
  tellOutages(client, log)
  return createEngine(client)
}
