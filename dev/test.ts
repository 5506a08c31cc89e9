// `npm test`: all tests, in two lanes at once: races mostly wait, and leave room for the others. With
// CI=true one lane follows the other: a gate has the time, and what it says should not depend on who else was busy.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const config = ['--config', 'test/vitest.config.ts']

const lanes = [['unit', 'edge', 'e2e'], ['race']]

/** Runs Vitest with the terminal of this process, and with the embedded databases of dev/main.ts; answers its exit code. */
const run = async (...args: string[]): Promise<number> => {
  const child = spawn(process.execPath, ['--liftoff-only', vitest, ...args, ...config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

const isReporting = (arg: string): boolean => arg.startsWith('--reporter') || arg.startsWith('--outputFile')

const args = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'selvedge-test-'))
try {
  const runLane = async (projects: string[]): Promise<number> => {
    const report = `--outputFile.blob=${join(folder, `${projects.join('-')}.json`)}`
    const chosen = projects.map((name) => `--project=${name}`)
    const asked = args.filter((arg) => !isReporting(arg))
    return await run(
      'run',
      ...chosen,
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=blob',
      report,
      ...asked,
    )
  }
  const codes: number[] = []
  if (process.env.CI === 'true') for (const projects of lanes) codes.push(await runLane(projects))
  else codes.push(...(await Promise.all(lanes.map(runLane))))
  const merged = await run('run', `--merge-reports=${folder}`, ...args.filter(isReporting))
  process.exitCode = Math.max(...codes, merged)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
