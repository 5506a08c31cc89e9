// `npm run trigger -- cron '<expression>'` runs one cron of the stack that is running.
import { join, resolve } from 'node:path'
import { fireCron, readCrons } from './clock.ts'
import { lockHolder } from './lock.ts'
import { openState } from './state.ts'

const root = join(import.meta.dirname, '..')

try {
  const [kind, cron, ...rest] = process.argv.slice(2)
  const crons = readCrons(join(root, 'wrangler.toml'))
  const known = crons.map((one) => `'${one}'`).join(', ') || 'none'
  if (kind !== 'cron' || cron === undefined || rest.length > 0) {
    throw new Error(`Usage: npm run trigger -- cron '<expression>', with one of: ${known}.`)
  }
  if (!crons.includes(cron)) throw new Error(`'${cron}' is no cron of wrangler.toml; known: ${known}.`)
  const folder = process.env.STATE_DIR || '.local'
  const state = openState(resolve(root, folder))
  const info = lockHolder(state.paths.lock) && state.readInfo()
  if (!info?.urls.api) throw new Error(`Nothing is running on ${folder}: start it with \`npm run dev\`.`)
  await fireCron(info.urls.api, cron)
  process.stdout.write(`${cron}: ok\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
