// `npm run build:client` writes `selvedge/client` into dist/client.
import { join } from 'node:path'
import { buildClient } from './client/build.ts'

const root = join(import.meta.dirname, '..')

await buildClient(root, join(root, 'dist/client'))
console.log('dist/client: the module and its types')
