export type Options = {
  port: number
  folder: string
  fresh: boolean
  /** `off`: none at all. */
  redisUrl: string | undefined
}

export const usage = `npm run dev [-- --fresh]

  --fresh     empties the local data first

In the environment:
  PORT        8787 unless it says otherwise; 0: any free port
  STATE_DIR   where the data is: .local
  REDIS_URL   a Redis server to use, or off: none at all
  LOG_LEVEL, LIMITS and all others of .dev.vars.example; files: .dev.vars, .env`

/** What the command line and the environment of `npm run dev` ask for. Throws one sentence for what is not valid. */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options {
  const unknown = args.find((arg) => arg !== '--fresh')
  if (unknown !== undefined)
    throw new Error(`'${unknown}' is unknown: \`npm run dev\` takes --fresh and --help.`)
  const text = env.PORT || '8787'
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new Error(`PORT must be a whole number from 0 (any free port) to 65535, not '${env.PORT}'.`)
  }
  const redisUrl = env.REDIS_URL || undefined
  if (redisUrl && !/^(rediss?:\/\/|off$)/.test(redisUrl)) {
    throw new Error('REDIS_URL must begin with redis:// or rediss://, or be off.')
  }
  return { port, folder: env.STATE_DIR || '.local', fresh: args.includes('--fresh'), redisUrl }
}
