import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { printTypes } from './types.ts'

/** What may be inside of the client: nothing of the server, and of packages these. */
const allowed = /^(src\/client\/|node_modules\/(partysocket|openapi-fetch)\/)/

/** Throws an Error that names what a bundle must not hold. */
const refuseStrangers = ({ inputs }: { inputs: Record<string, unknown> }): void => {
  const strangers = Object.keys(inputs).filter((file) => !allowed.test(file))
  if (strangers.length > 0) throw new Error(`No part of the client: ${strangers.join(', ')}`)
}

/** Writes `selvedge/client` as a package holds it: one module with a source map, and its types without the server's. */
export const buildClient = async (root: string, folder: string): Promise<void> => {
  const result = await build({
    absWorkingDir: root,
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2023',
    minify: true,
    // Of partysocket: its private fields, and what it tells a console.
    mangleProps: /^_/,
    drop: ['console'],
    metafile: true,
    logLevel: 'silent',
    outfile: join(folder, 'index.js'),
    sourcemap: true,
    write: false,
  })
  refuseStrangers(result.metafile)
  await rm(folder, { recursive: true, force: true })
  const files = [
    ...result.outputFiles.map(({ path, text }) => ({ path, text })),
    ...printTypes(root).map(({ name, text }) => ({ path: join(folder, name), text })),
  ]
  for (const { path, text } of files) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}
