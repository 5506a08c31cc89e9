// Copies files of packages that are served as assets, so that no page needs a CDN and no font weighs on the bundle.
// wrangler runs this before every build, with whatever `node` is on the PATH: hence plain JavaScript, and no write when
// all is current.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folders = [
  {
    from: 'swagger-ui-dist',
    to: 'swagger',
    files: {
      'swagger-ui.css': 'swagger-ui.css',
      'swagger-ui-bundle.js': 'swagger-ui-bundle.js',
      'swagger-ui-bundle.js.LICENSE.txt': 'swagger-ui-bundle.js.LICENSE.txt',
      'favicon-16x16.png': 'favicon-16x16.png',
      'favicon-32x32.png': 'favicon-32x32.png',
      LICENSE: 'LICENSE',
      NOTICE: 'NOTICE',
    },
  },
  {
    // SIL Open Font License 1.1
    from: '@expo-google-fonts/noto-sans',
    to: 'fonts',
    files: {
      '400Regular/NotoSans_400Regular.ttf': 'NotoSans-Regular.ttf',
      '600SemiBold/NotoSans_600SemiBold.ttf': 'NotoSans-SemiBold.ttf',
      LICENSE_FONT: 'LICENSE',
    },
  },
]

const { resolve } = createRequire(import.meta.url)
const assets = join(dirname(fileURLToPath(import.meta.url)), '../public')

for (const { from, to, files } of folders) {
  const source = dirname(resolve(`${from}/package.json`))
  mkdirSync(join(assets, to), { recursive: true })
  for (const [file, name] of Object.entries(files)) {
    const wanted = readFileSync(join(source, file))
    const copy = join(assets, to, name)
    if (!existsSync(copy) || !readFileSync(copy).equals(wanted)) writeFileSync(copy, wanted)
  }
}
