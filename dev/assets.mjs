// Copies Swagger UI's files from its package, so that no page needs a CDN. wrangler runs this before every build,
// with whatever `node` is on the PATH: hence plain JavaScript, and no write when all is current.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const files = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-bundle.js.LICENSE.txt',
  'favicon-16x16.png',
  'favicon-32x32.png',
  'LICENSE',
  'NOTICE',
]

const source = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
const target = join(dirname(fileURLToPath(import.meta.url)), '../public/swagger')

mkdirSync(target, { recursive: true })
for (const file of files) {
  const wanted = readFileSync(join(source, file))
  const copy = join(target, file)
  if (!existsSync(copy) || !readFileSync(copy).equals(wanted)) writeFileSync(copy, wanted)
}
