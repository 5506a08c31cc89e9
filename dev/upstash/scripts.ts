import { createHash } from 'node:crypto'
import { isRefusal, type Command, type RedisEngine, type Reply } from './engine.ts'

/** At about 100 bytes each; a forgotten one costs its client one NOSCRIPT. */
const REMEMBERED = 10_000

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

/** The line break stays, so that the numbers of lines in error messages do. */
const withoutFirstLine = (script: string) => script.replace(/^#!lua[^\n]*/, '')

/**
 * Lets an engine run scripts whose first line is `#!lua flags=…` with flags that only Upstash knows: the engine gets
 * them without that line, and clients know them by the SHA-1 of the whole, for EVALSHA and SCRIPT too.
 */
export const withUpstashScripts = (engine: RedisEngine): RedisEngine => {
  const ownShas = new Map<string, string>()

  const remember = (script: string) => {
    const stripped = withoutFirstLine(script)
    if (stripped === script) return script
    const [oldest] = ownShas.keys()
    if (ownShas.size >= REMEMBERED && oldest !== undefined) ownShas.delete(oldest)
    ownShas.set(sha1(script), sha1(stripped))
    return stripped
  }
  const ownSha = (sha: unknown) => ownShas.get(String(sha).toLowerCase()) ?? String(sha)

  const toEngine = (command: Command): Command => {
    const [name, first, ...rest] = command
    if (first === undefined) return command
    switch (name.toUpperCase()) {
      case 'EVAL':
      case 'EVAL_RO':
        return [name, remember(String(first)), ...rest]
      case 'EVALSHA':
      case 'EVALSHA_RO':
        return [name, ownSha(first), ...rest]
      case 'SCRIPT': {
        const part = String(first).toUpperCase()
        if (part === 'LOAD') return [name, first, ...rest.map((script) => remember(String(script)))]
        return part === 'EXISTS' ? [name, first, ...rest.map(ownSha)] : command
      }
      default:
        return command
    }
  }

  /** SCRIPT LOAD answers the SHA-1 of what was sent. */
  const toClient = ([name, part, script]: Command, reply: Reply): Reply => {
    const isLoad = name.toUpperCase() === 'SCRIPT' && String(part).toUpperCase() === 'LOAD'
    return isLoad && Buffer.isBuffer(reply) ? Buffer.from(sha1(String(script))) : reply
  }
  const allToClient = (commands: Command[], replies: Reply[]) =>
    commands.map((command, at) => toClient(command, replies[at] ?? null))

  return {
    ...engine,
    run: async (commands) => allToClient(commands, await engine.run(commands.map(toEngine))),
    transact: async (commands) => {
      const outcome = await engine.transact(commands.map(toEngine))
      return isRefusal(outcome) ? outcome : allToClient(commands, outcome)
    },
  }
}
