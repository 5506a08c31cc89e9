// Makes what is served as assets and not written by hand: copies files of packages, so that no page needs a CDN and no
// font weighs on the bundle, and bundles the pages of web/.
// wrangler runs this before every build, with whatever `node` is on the PATH: hence plain JavaScript, and no write when
// all is current.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

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
  {
    // SIL Open Font License 1.1
    from: '@fontsource-variable/instrument-sans',
    to: 'chat',
    files: {
      'files/instrument-sans-latin-wght-normal.woff2': 'instrument-sans.woff2',
      LICENSE: 'instrument-sans.LICENSE',
    },
  },
]

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const assets = join(root, 'public')
const { resolve } = createRequire(import.meta.url)

const put = (file, wanted) => {
  mkdirSync(dirname(file), { recursive: true })
  if (!existsSync(file) || !readFileSync(file).equals(wanted)) writeFileSync(file, wanted)
}

for (const { from, to, files } of folders) {
  const source = dirname(resolve(`${from}/package.json`))
  for (const [file, name] of Object.entries(files))
    put(join(assets, to, name), readFileSync(join(source, file)))
}

const pages = await build({
  absWorkingDir: root,
  entryPoints: [
    { in: 'web/chat/main.tsx', out: 'chat/chat' },
    { in: 'web/chat/chat.css', out: 'chat/chat' },
  ],
  outdir: assets,
  external: ['/chat/*'],
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome116', 'firefox124', 'safari17.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  write: false,
})
for (const { path, contents } of pages.outputFiles) put(path, Buffer.from(contents))
