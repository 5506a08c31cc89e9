import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { Build } from './worker-build.ts'

const parentOf = (pid: string): number | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

const childrenOf = (pid: number): number[] =>
  readdirSync('/proc').flatMap((entry) =>
    /^\d+$/.test(entry) && parentOf(entry) === pid ? [Number(entry)] : [],
  )

/**
 * Runs a build in workerd with a bucket that keeps its objects on this machine's disk: wrangler's own, so that bucket,
 * Worker and whoever sends share one machine.
 */
export const startWithBucket = async ({ config, module }: Build, env: Record<string, string>) => {
  const folder = mkdtempSync(join(tmpdir(), 'selvedge-bucket-'))
  const before = new Set(childrenOf(process.pid))
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      ...{ r2Persist: join(folder, 'r2'), durableObjectsPersist: join(folder, 'objects') },
      workers: [
        {
          name: 'main',
          modulesRoot: dirname(module),
          modules: [{ type: 'ESModule', path: join(dirname(module), basename(module)) }],
          ...{ compatibilityDate: config.compatibility_date, compatibilityFlags: config.compatibility_flags },
          bindings: { ...config.vars, ...env },
          r2Buckets: Object.fromEntries(config.r2_buckets.map(({ binding }) => [binding, 'files'])),
          queueProducers: Object.fromEntries(
            config.queues.producers.map(({ binding }) => [binding, 'unheard']),
          ),
          durableObjects: Object.fromEntries(
            config.durable_objects.bindings.map(({ name, class_name: className }) => [
              name,
              { className, useSQLite: true },
            ]),
          ),
        },
      ],
    }),
  )
  const { port } = await miniflare.ready
  const pids = childrenOf(process.pid).filter((pid) => !before.has(pid))
  return {
    port: Number(port),
    pids,
    async stop(): Promise<void> {
      await miniflare.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
