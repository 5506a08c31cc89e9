import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const root = join(import.meta.dirname, '../..')

/** No step needs as long; one that hangs must not hang the gate. */
const limitMs = 240_000

const env = {
  ...process.env,
  // The tools of this repository, on its Node, whoever calls.
  PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
  NO_COLOR: '1',
  FORCE_COLOR: '0',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_LOG_PATH: join(tmpdir(), 'selvedge-check'),
}

/** Runs a tool in the repository; answers what it printed. Throws an Error that says it when the tool fails. */
export const run = async (command: string, ...args: string[]): Promise<string> => {
  const child = spawn(command, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  // Its whole group: tools have helpers of their own.
  const kill = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
  const timer = setTimeout(kill, limitMs)
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    const output = stripVTControlCharacters(Buffer.concat(chunks).toString()).trim()
    if (code === 0) return output
    const how = signal === null ? `exit ${code}` : `${signal} after at most ${limitMs / 1_000} s`
    throw new Error(`${output}\n${command}: ${how}`.trim())
  } finally {
    clearTimeout(timer)
  }
}
