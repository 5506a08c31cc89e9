import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import ts from 'typescript'
import { buildClient } from '../client/build.ts'

/** Bytes of what a page that only chats loads, compressed. */
const maxChat = 8_000

/** What a bundler makes of `import { createChat } from 'selvedge/client'`. */
const weighChat = async (module: string): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: `export { createChat } from ${JSON.stringify(module)}`, resolveDir: '/' },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  })
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
}

/** Problems of a user's program against the built types, without those of Node, of Workers or of this repository. */
const compileConsumer = async (root: string, folder: string): Promise<string[]> => {
  const source = await readFile(join(root, 'dev/client/consumer.ts'), 'utf8')
  const file = join(folder, 'consumer.ts')
  await writeFile(file, source.replace('../../src/client/index.ts', './index.js'))
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: [],
    paths: { '*': [join(root, 'node_modules/*')] },
  })
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
}

/** `selvedge/client` can be built, holds nothing of the server, loads by itself, is typed, and its chat part is small. */
export const checkClient = async (root: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-client-'))
  try {
    await buildClient(root, folder)
    const module = join(folder, 'index.js')
    const loaded = (await import(pathToFileURL(module).href)) as Record<string, unknown>
    const missing = ['ApiError', 'ChatError', 'createChat', 'createClient'].filter(
      (name) => !(name in loaded),
    )
    if (missing.length > 0) throw new Error(`selvedge/client lacks ${missing.join(', ')}`)
    const problems = await compileConsumer(root, folder)
    if (problems.length > 0) throw new Error(problems.join('\n'))
    const bytes = await weighChat(module)
    if (bytes > maxChat) throw new Error(`The chat part has ${bytes} bytes after gzip, more than ${maxChat}`)
    return `chat part ${bytes} of ${maxChat} bytes gzip`
  } finally {
    await rm(folder, { recursive: true })
  }
}
