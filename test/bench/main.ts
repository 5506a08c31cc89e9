// `npm run bench [-- name… --quick]`: how fast the product is, against what else one could run. See docs/benchmarks.md.
import { parseArgs } from 'node:util'
import { bundleBench } from './benches/bundle.ts'
import { chatBench } from './benches/chat.ts'
import { distanceBench } from './benches/distance.ts'
import { jobsBench } from './benches/jobs.ts'
import { keysBench } from './benches/keys.ts'
import { limiterBench } from './benches/limiter.ts'
import { refreshBench } from './benches/refresh.ts'
import { routesBench } from './benches/routes.ts'
import { scaleBench } from './benches/scale.ts'
import { uploadsBench } from './benches/uploads.ts'
import type { Bench, Effort } from './context.ts'
import { createDatabases } from './databases.ts'
import { writeDocument } from './document.ts'
import { contextOf } from './machine.ts'
import { sectionText } from './section.ts'
import { startServers } from './servers.ts'
import { createBuilds } from './worker-build.ts'

/** In the order in which they run and stand in the document. */
const benches: Bench[] = [
  routesBench,
  keysBench,
  refreshBench,
  scaleBench,
  distanceBench,
  limiterBench,
  jobsBench,
  uploadsBench,
  chatBench,
  bundleBench,
]

const efforts = {
  full: { rounds: 7, seconds: 2, sizes: [1_000, 100_000, 1_000_000] },
  quick: { rounds: 3, seconds: 1, sizes: [1_000, 10_000] },
} satisfies Record<string, Effort>

const usage = `npm run bench [-- name… --quick]

${benches.map(({ name, about }) => `  ${name.padEnd(10)}${about}`).join('\n')}

  --quick   few and short rounds, no catalogue of a million; docs/benchmarks.md stays as it is`

const log = (line: string) => process.stderr.write(`${line}\n`)

const measure = async (wanted: Bench[], effort: Effort): Promise<string[]> => {
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--'] : []), ...process.argv.slice(2)]
  const builds = await createBuilds()
  const servers = startServers()
  const databases = createDatabases(servers, log)
  const texts: string[] = []
  try {
    for (const { name, run } of wanted) {
      log(`${name} …`)
      const section = await run({ builds, servers, databases, log, ...effort })
      texts.push(sectionText(section, contextOf(command.join(' '))))
      console.log(`${texts.at(-1)}\n`)
    }
  } finally {
    await databases.close()
    await servers.stop()
    await builds.remove()
  }
  return texts
}

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) return console.log(usage)
  const unknown = positionals.find((given) => !benches.some(({ name }) => name === given))
  if (unknown !== undefined) throw new Error(`No bench '${unknown}'.\n\n${usage}`)
  const wanted = benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const texts = await measure(wanted, values.quick ? efforts.quick : efforts.full)
  if (!values.quick) await writeDocument(texts)
}

// Ended by hand: 'exit' still ends what was started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

await main()
