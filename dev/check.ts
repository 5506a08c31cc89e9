// `npm run check`: what can be known without running the product. Every step runs, whatever the others say.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiDocument, apiTypes, makeApiDocument, makeApiTypes } from './check/api-document.ts'
import { checkBundle } from './check/bundle.ts'
import { checkClient } from './check/client.ts'
import {
  checkDecisions,
  checkErrors,
  checkLinks,
  checkScripts,
  checkStorage,
  checkVariables,
} from './check/documents.ts'
import { run } from './check/run.ts'

const root = join(import.meta.dirname, '..')

/** Answers a remark or nothing; throws an Error that says what is wrong. */
type Step = { name: string; check: () => Promise<string> }

const tool = (name: string, command: string, ...args: string[]): Step => ({
  name,
  async check() {
    await run(command, ...args)
    return ''
  },
})

const document = (name: string, problemsOf: () => string[]): Step => ({
  name,
  async check() {
    const problems = problemsOf()
    if (problems.length > 0) throw new Error(problems.join('\n'))
    return ''
  },
})

const openApi: Step = {
  name: 'OpenAPI document is current',
  async check() {
    const kept = await readFile(join(root, apiDocument), 'utf8').catch(() => '')
    if (kept !== (await makeApiDocument(root))) throw new Error(`${apiDocument} has drifted: npm run openapi`)
    const types = await readFile(join(root, apiTypes), 'utf8').catch(() => '')
    if (types !== (await makeApiTypes(kept))) throw new Error(`${apiTypes} has drifted: npm run openapi`)
    return ''
  },
}

/** The longest first, so that two at a time end together. */
const steps: Step[] = [
  tool('lint', 'oxlint', '.'),
  tool('format', 'prettier', '--check', '.'),
  { name: 'deploy, dry run', check: checkBundle },
  { name: 'selvedge/client', check: () => checkClient(root) },
  tool('unused code', 'knip', '--no-progress'),
  tool('generated types', 'wrangler', 'types', 'src/env.d.ts', '--strict-vars', 'false', '--check'),
  tool('types of the Worker', 'tsc', '-p', '.'),
  tool('types of web/', 'tsc', '-p', 'web'),
  tool('types of dev/', 'tsc', '-p', 'dev'),
  tool('types of test/', 'tsc', '-p', 'test'),
  tool('types of test/edge/', 'tsc', '-p', 'test/edge'),
  openApi,
  document('docs/errors.md', checkErrors),
  document('docs/storage.md', checkStorage),
  document('variables', checkVariables),
  document('scripts in README.md', checkScripts),
  document('decisions in README.md', checkDecisions),
  document('links in documents', checkLinks),
]

let failed = 0

const perform = async ({ name, check }: Step): Promise<void> => {
  const started = performance.now()
  const tell = (verdict: string, remark: string) => {
    const seconds = ((performance.now() - started) / 1_000).toFixed(1)
    console.log(`${verdict.padEnd(6)} ${name.padEnd(28)} ${seconds.padStart(5)} s  ${remark}`.trimEnd())
  }
  try {
    tell('ok', await check())
  } catch (error) {
    failed += 1
    tell('FAILED', '')
    console.log((error instanceof Error ? error.message : String(error)).replaceAll(/^/gm, '       '))
  }
}

const queue = steps.values()
const drain = async (): Promise<void> => {
  for (const step of queue) await perform(step)
}
await Promise.all([drain(), drain()])

console.log(`\nchecks: ${steps.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
