import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { run } from './run.ts'

/** Bytes of all modules, compressed. Cloudflare allows ten times that; start-up time is what we save. */
const maxGzip = 1_000_000

/** Builds what `wrangler deploy` would upload, without an account, and weighs it. */
export const checkBundle = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-bundle-'))
  try {
    await run('wrangler', 'deploy', '--dry-run', '--outdir', folder)
    const modules = (await readdir(folder, { recursive: true })).filter((file) =>
      /\.(m?js|wasm|bin|txt)$/.test(file),
    )
    const sizes = await Promise.all(
      modules.map(async (file) => gzipSync(await readFile(join(folder, file))).length),
    )
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    if (modules.length === 0) throw new Error('wrangler wrote no module')
    if (bytes > maxGzip) throw new Error(`The bundle has ${bytes} bytes after gzip, more than ${maxGzip}`)
    return `${Math.round(bytes / 1_000)} kB of ${maxGzip / 1_000} kB gzip`
  } finally {
    await rm(folder, { recursive: true })
  }
}
