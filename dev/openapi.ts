// `npm run openapi` writes the OpenAPI document and the client's types; `npm run check` compares them.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiDocument, apiTypes, makeApiDocument, makeApiTypes } from './check/api-document.ts'

const root = join(import.meta.dirname, '..')

const document = await makeApiDocument(root)
await writeFile(join(root, apiDocument), document)
await writeFile(join(root, apiTypes), await makeApiTypes(document))
console.log(`${apiDocument}: ${Object.keys((JSON.parse(document) as { paths: object }).paths).length} paths`)
