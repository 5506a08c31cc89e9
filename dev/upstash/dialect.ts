import { isRefusal, type Command, type RedisEngine, type Refusal } from './engine.ts'

const names = (text: string) => new Set(text.trim().split(/\s+/))

/** They act on a connection, which an HTTP client has none of. */
const NOT_IN_REST = names(`
  ASKING AUTH CLIENT DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PUNSUBSCRIBE QUIT READONLY READWRITE RESET SELECT
  SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE UNSUBSCRIBE UNWATCH WATCH`)

/** They block all other clients of our one connection, or rule the server, which may be somebody's own. */
const UNAVAILABLE = names(`
  BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF
  ACL BGREWRITEAOF BGSAVE CLUSTER CONFIG DEBUG FAILOVER LASTSAVE LATENCY MIGRATE MODULE MOVE PFDEBUG PFSELFTEST PSYNC
  REPLCONF REPLICAOF RESTORE-ASKING ROLE SAVE SHUTDOWN SLAVEOF SLOWLOG SWAPDB SYNC`)

const UNAVAILABLE_WITH: Record<string, Set<string>> = {
  FUNCTION: names('KILL'),
  SCRIPT: names('DEBUG KILL'),
}

const blocks = (name: string, args: Command) =>
  (name === 'XREAD' || name === 'XREADGROUP') && args.some((arg) => String(arg).toUpperCase() === 'BLOCK')

const unavailable = (name: string) =>
  `ERR Command is not available: '${name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details`

/** Upstash's words for what it does not do over REST; undefined for all else. */
const refusalOf = (command: Command): string | undefined => {
  const name = command[0].toUpperCase()
  if (NOT_IN_REST.has(name)) {
    return `ERR Command "${name}" is not allowed in REST or it has a special context path`
  }
  const part = String(command[1]).toUpperCase()
  if (UNAVAILABLE_WITH[name]?.has(part)) return unavailable(`${name} ${part}`)
  return UNAVAILABLE.has(name) || blocks(name, command) ? unavailable(name) : undefined
}

type Options = {
  /** Said of a command that the engine does not know. */
  unknown?: (name: string) => string
}

/** An engine that refuses what Upstash's REST API refuses, and says it as Upstash does. */
export const withDialect = (engine: RedisEngine, { unknown = unavailable }: Options = {}): RedisEngine => {
  const reworded = (refusal: Refusal): Refusal => {
    const name = /^ERR unknown command ['`]([^'`]*)/.exec(refusal.error)?.[1]
    return name ? { error: unknown(name.toUpperCase()) } : refusal
  }

  return {
    ...engine,
    run: async (commands) => {
      const refusals = commands.map(refusalOf)
      const replies = await engine.run(commands.filter((_, at) => refusals[at] === undefined))
      return refusals.map((error) => {
        if (error !== undefined) return { error }
        const reply = replies.shift() ?? null
        return isRefusal(reply) ? reworded(reply) : reply
      })
    },
    transact: async (commands) => {
      const error = commands.map(refusalOf).find((refusal) => refusal !== undefined)
      if (error !== undefined) return { error }
      const outcome = await engine.transact(commands)
      return isRefusal(outcome) ? reworded(outcome) : outcome
    },
  }
}
