type Described = {
  name: string
  message?: string
  code?: string
  constraint?: string
  stack?: string
  cause?: Described
}

const maxCauses = 4

const textOf = (error: object, key: string): string | undefined => {
  const value: unknown = Reflect.get(error, key)
  return typeof value === 'string' ? value : undefined
}

/** Drivers put SQL, commands, keys and values into their messages; their name, code and constraint tell enough. */
const quoting = new Set(['NeonDbError', 'DrizzleQueryError', 'UpstashError'])

/** An error as it may be logged: bounded, and without what a database driver quotes. */
export const describeError = (error: unknown, depth = 0): Described => {
  if (!(error instanceof Error)) return { name: 'NonError', message: String(error).slice(0, 500) }
  const described: Described = { name: error.name }
  const code = textOf(error, 'code')
  const constraint = textOf(error, 'constraint')
  if (code !== undefined) described.code = code
  if (constraint !== undefined) described.constraint = constraint
  if (!quoting.has(error.name)) {
    described.message = error.message.slice(0, 1_000)
    if (error.stack !== undefined) described.stack = error.stack.slice(0, 4_000)
  }
  if (error.cause !== undefined && depth < maxCauses) described.cause = describeError(error.cause, depth + 1)
  return described
}
