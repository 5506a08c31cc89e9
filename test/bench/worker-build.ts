import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { z } from 'zod'
import { run } from '../../dev/check/run.ts'
import { projectRoot } from '../support/stack.ts'

const Config = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()).default([]),
  vars: z.record(z.string(), z.string()).default({}),
  durable_objects: z
    .object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) })
    .default({ bindings: [] }),
  assets: z.object({ binding: z.string() }).optional(),
  r2_buckets: z.array(z.object({ binding: z.string() })).default([]),
  queues: z.object({ producers: z.array(z.object({ binding: z.string() })) }).default({ producers: [] }),
})

export type Build = {
  config: z.infer<typeof Config>
  /** The module, as `wrangler deploy` would upload it. */
  module: string
  /** The same as one file, for `wrangler check startup`. */
  bundle: string
  gzipKiB: number
}

const wranglerToml = join(projectRoot, 'wrangler.toml')

/** A Worker of the bench is built as the product is: from the same configuration, with another entry and the objects that it exports. */
const configFor = async (folder: string, main: string): Promise<string> => {
  const config = parse(await readFile(wranglerToml, 'utf8'))
  const { compatibility_date, compatibility_flags = [], minify, exports = {}, r2_buckets } = config
  const { bindings } = Config.parse(config).durable_objects
  const path = join(folder, 'wrangler.json')
  const entry = await readFile(main, 'utf8')
  const own = bindings.filter(({ class_name }) => entry.includes(`export { ${class_name} }`))
  const classes = own.map(({ class_name }) => [class_name, Object(exports)[class_name]])
  const objects = { exports: Object.fromEntries(classes), durable_objects: { bindings: own } }
  const buckets = entry.includes('FILES') ? { r2_buckets } : {}
  const settings = { compatibility_date, compatibility_flags, minify, ...objects, ...buckets }
  await writeFile(path, JSON.stringify({ name: 'bench', main, ...settings }))
  return path
}

/** Builds into `folder`; `main` is the entry of a Worker of the bench, absent for the product. */
const buildInto = async (folder: string, main: string | undefined): Promise<Build> => {
  const path = main === undefined ? wranglerToml : await configFor(folder, main)
  const bundle = join(folder, 'worker.bundle')
  const options = ['--dry-run', '--config', path]
  await run('wrangler', 'deploy', ...options, '--outfile', bundle)
  const said = await run('wrangler', 'deploy', ...options, '--outdir', join(folder, 'out'))
  const gzipKiB = Number(/gzip: ([\d.]+) KiB/.exec(said)?.[1])
  const text = await readFile(path, 'utf8')
  const config = Config.parse(path.endsWith('.toml') ? parse(text) : JSON.parse(text))
  const entry = main === undefined ? 'index.js' : `${/([^/]+)\.ts$/.exec(main)?.[1]}.js`
  return { config, module: join(folder, 'out', entry), bundle, gzipKiB }
}

export const createBuilds = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-bench-'))
  const made = new Map<string, Promise<Build>>()
  return {
    /** `selvedge`, or the name of a file in `workers/`; built once. */
    async of(name: string): Promise<Build> {
      const main = name === 'selvedge' ? undefined : join(import.meta.dirname, 'workers', `${name}.ts`)
      const build = made.get(name) ?? buildInto(await mkdtemp(join(folder, 'build-')), main)
      made.set(name, build)
      return await build
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export type Builds = Awaited<ReturnType<typeof createBuilds>>
