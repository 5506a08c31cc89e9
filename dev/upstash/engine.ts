/** Text goes out as UTF-8. */
export type Argument = string | Buffer

export type Command = [name: string, ...args: Argument[]]

export type Refusal = { error: string }

/** Strings are bytes, as RESP2 has them; a refusal stands in the place of the command that earned it. */
export type Reply = Buffer | number | null | Refusal | Reply[]

/** Rejects with Unreachable when Redis could not be asked; whether a command took effect is then unknown. */
export type RedisEngine = {
  /** Each command by itself and in this order; those of other requests may come between. */
  run(commands: Command[]): Promise<Reply[]>
  /** One MULTI … EXEC. A refusal instead of replies: a command could not be queued, and none was run. */
  transact(commands: Command[]): Promise<Reply[] | Refusal>
  close(): Promise<void>
}

export class Unreachable extends Error {}

export const isRefusal = (reply: Reply | Reply[] | undefined): reply is Refusal =>
  typeof reply === 'object' && reply !== null && 'error' in reply
