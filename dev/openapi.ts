// `npm run openapi` writes the OpenAPI document; `npm run check` compares it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiDocument, makeApiDocument } from './check/api-document.ts'

const root = join(import.meta.dirname, '..')

const document = await makeApiDocument(root)
await writeFile(join(root, apiDocument), document)
console.log(`${apiDocument}: ${Object.keys((JSON.parse(document) as { paths: object }).paths).length} paths`)
