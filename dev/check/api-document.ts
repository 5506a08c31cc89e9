import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import openapiTS, { astToString } from 'openapi-typescript'
import { z } from 'zod'

/** Where the document is kept, from the root. */
export const apiDocument = 'docs/openapi.json'

/** The same as types, for the client. */
export const apiTypes = 'src/client/openapi.ts'

const Entry = z.object({ describe: z.function({ input: [z.string()], output: z.looseObject({}) }) })

/** The OpenAPI document of all routes, as the text of its file. Bundled first: Node reads no `.tsx`. */
export const makeApiDocument = async (root: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-openapi-'))
  const outfile = join(folder, 'document.mjs')
  try {
    await build({
      entryPoints: [join(import.meta.dirname, 'api-entry.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
    })
    const { describe } = Entry.parse(await import(pathToFileURL(outfile).href))
    return `${JSON.stringify(describe(await readFile(join(root, '.dev.vars.example'), 'utf8')), null, 2)}\n`
  } finally {
    await rm(folder, { recursive: true })
  }
}

export const makeApiTypes = async (document: string): Promise<string> =>
  `// Made from docs/openapi.json by \`npm run openapi\`.\n${astToString(await openapiTS(document))}`
