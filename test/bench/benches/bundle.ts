import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run as runTool } from '../../../dev/check/run.ts'
import type { Bench } from '../context.ts'
import { show, showMedian, showRatio } from '../format.ts'
import { productEnv } from '../product.ts'
import { inRounds } from '../rounds.ts'
import { median, ratio } from '../statistics.ts'
import type { Build } from '../worker-build.ts'
import { startWorker } from '../workerd.ts'

const maxGzipKiB = 1_000_000 / 1_024
const maxStartMs = 80

/** What wrangler's own profiler says: milliseconds in which the sampled isolate was not idle. */
const profiled = async ({ bundle }: Build, folder: string): Promise<number> => {
  const outfile = join(folder, 'startup.cpuprofile')
  const said = await runTool('wrangler', 'check', 'startup', '--worker', bundle, '--outfile', outfile)
  const [, active] = /Active: ([\d.]+) ms/.exec(said) ?? []
  if (active === undefined) throw new Error(`wrangler check startup says no active time:\n${said}`)
  return Number(active)
}

/** CPU of the whole process from its start to the first answer: compiles, evaluates and serves once. */
const untilFirstAnswer = async (build: Build, env: Record<string, string>): Promise<number> => {
  const worker = await startWorker(build, env)
  try {
    const { status } = await fetch(`${worker.url}/health`)
    if (status !== 200) throw new Error(`/health answers ${status}: ${worker.log()}`)
    return worker.cpuMs()
  } finally {
    await worker.stop()
  }
}

const run: Bench['run'] = async ({ builds, rounds }) => {
  const [selvedge, bare] = [await builds.of('selvedge'), await builds.of('bare')]
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-startup-'))
  try {
    const samples = await inRounds(rounds, {
      profile: () => profiled(selvedge, folder),
      selvedge: () => untilFirstAnswer(selvedge, productEnv('postgres://u:p@127.0.0.1:1/db', '')),
      bare: () => untilFirstAnswer(bare, { REPLIES: '{}', CALLS: '{}' }),
    })
    const [profile, size] = [median(samples.profile), selvedge.gzipKiB]
    const firstAnswer = ratio(samples.selvedge, samples.bare)
    return {
      title: 'Bundle and start',
      method: `Size as \`wrangler deploy --dry-run\` states it. Start-up in ${rounds} rounds in turn: the active time of
        \`wrangler check startup\`, which reads the clock and so counts what other programs take from a busy machine; and
        CPU time of the workerd process from its start to its first answer, most of which is workerd's own.`,
      tables: [
        {
          head: ['', 'Selvedge', 'bare Hono', 'ratio'],
          rows: [
            ['bundle, gzip', `${show(size)} KiB`, `${show(bare.gzipKiB)} KiB`, ''],
            ['start-up, `wrangler check startup`', `${show(profile)} ms`, '', ''],
            [
              'start-up and first answer, CPU of the process',
              showMedian(samples.selvedge, 'ms'),
              showMedian(samples.bare, 'ms'),
              showRatio(firstAnswer),
            ],
          ],
          meaning: 'What the first request to a new isolate waits for, beside its own work.',
        },
      ],
      aims: [
        { text: `the bundle has at most 1 MB after gzip: ${show(size)} KiB`, met: size <= maxGzipKiB },
        {
          text: `start-up takes at most ${maxStartMs} ms: ${show(profile)} ms by \`wrangler check startup\``,
          met: profile <= maxStartMs,
        },
      ],
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const bundleBench: Bench = { name: 'bundle', about: 'size of the bundle and its start-up', run }
