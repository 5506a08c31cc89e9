import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { packages, rows } from './import-table.ts'

const root = join(import.meta.dirname, '../..')

let count = 0
const value = (specifier: string) => `import { name${count++} } from '${specifier}'`
const type = (specifier: string) => `import type { Name${count++} } from '${specifier}'`
const onlyZ = `import { z } from '@hono/zod-openapi'`
const notOnlyZ = `import { z as zod, createRoute } from '@hono/zod-openapi'`

type Sample = { row: string; file: string; passes: string[]; refused: string[] }

/** Each row of the import table: what it lets through, and what it refuses. The imported files need not exist. */
const samples: Sample[] = [
  {
    row: 'worker',
    file: 'workers/sample.ts',
    passes: [
      ...['./api.ts', '../src/app.ts', '../src/services.ts', '../src/chat/room.do.ts'].map(value),
      value('cloudflare:workers'),
      `export { ChatRoom } from '../src/chat/room.do.ts'`,
    ],
    refused: ['../src/orders/repository.ts', '../src/orders/routes.ts', 'drizzle-orm', 'hono'].map(value),
  },
  {
    row: 'app',
    file: 'src/app.ts',
    passes: [
      ...['hono/cors', './http/errors.ts', './orders/routes.ts', './orders/routes.v2.ts'].map(value),
      ...['./services.ts', './config.ts'].map(type),
    ],
    refused: [
      ...['./orders/repository.ts', './orders/service.ts', './services.ts', './config.ts'].map(value),
      ...['drizzle-orm', 'cloudflare:workers', '../workers/api.ts'].map(value),
      type('./orders/repository.ts'),
    ],
  },
  {
    row: 'root',
    file: 'src/services.ts',
    passes: [
      ...['./orders/service.ts', './orders/repository.ts', './auth/tokens.ts', './db/client.ts'].map(value),
      type('./config.ts'),
    ],
    refused: ['hono', './orders/routes.ts', './http/router.ts', 'drizzle-orm', './config.ts'].map(value),
  },
  {
    row: 'config',
    file: 'src/config.ts',
    passes: [value('zod'), onlyZ, value('./shared/logger.ts')],
    refused: ['./services.ts', './orders/service.ts', 'cloudflare:workers'].map(value),
  },
  {
    row: 'shared',
    file: 'src/shared/sample.ts',
    passes: [value('./errors.ts'), value('uuid'), value('node:buffer'), onlyZ],
    refused: [
      ...['../config.ts', '../orders/status.ts', '../db/raise.ts', '../http/errors.ts', 'hono'].map(value),
      ...['drizzle-orm', 'cloudflare:workers'].map(value),
      type('../config.ts'),
    ],
  },
  {
    row: 'http',
    file: 'src/http/middleware/sample.ts',
    passes: [
      ...['hono/factory', '../errors.ts', '../../shared/errors.ts', '../../version.ts'].map(value),
      ...['../../services.ts', '../../orders/service.ts', '../../config.ts'].map(type),
    ],
    refused: [
      ...['../../services.ts', '../../orders/service.ts', '../../orders/schema.ts'].map(value),
      ...['../../db/client.ts', 'drizzle-orm', 'cloudflare:workers'].map(value),
      type('../../orders/repository.ts'),
    ],
  },
  {
    row: 'driver',
    file: 'src/db/client.ts',
    passes: ['@neondatabase/serverless', 'drizzle-orm/neon-http', './violations.ts', 'drizzle-orm'].map(
      value,
    ),
    refused: ['../orders/table.ts', '../config.ts', 'hono'].map(value),
  },
  {
    row: 'violations',
    file: 'src/db/violations.ts',
    passes: [`import { NeonDbError } from '@neondatabase/serverless'`, value('../shared/errors.ts')],
    refused: [
      `import { neon } from '@neondatabase/serverless'`,
      value('drizzle-orm/neon-http'),
      value('./client.ts'),
    ],
  },
  {
    row: 'tables',
    file: 'src/db/schema.ts',
    passes: [`export { orders } from '../orders/table.ts'`],
    refused: [`export { place } from '../orders/repository.ts'`, value('drizzle-orm')],
  },
  {
    row: 'table',
    file: 'src/orders/table.ts',
    passes: [
      ...['drizzle-orm/pg-core', '../users/table.ts', '../db/table.ts'].map(value),
      ...['./status.ts', '../shared/actor.ts'].map(type),
    ],
    refused: [
      ...['./status.ts', '../shared/ids.ts', './schema.ts', '../db/raise.ts', 'drizzle-orm/neon-http'].map(
        value,
      ),
      ...['./schema.ts', '../users/password-policy.ts'].map(type),
    ],
  },
  {
    row: 'db',
    file: 'src/db/sample.ts',
    passes: ['drizzle-orm', '../shared/page.ts', './one.ts'].map(value),
    refused: [
      ...['@neondatabase/serverless', 'drizzle-orm/neon-http', './client.ts', 'hono'].map(value),
      ...['../orders/repository.ts', '../orders/service.ts'].map(value),
    ],
  },
  {
    row: 'client',
    file: 'src/client/rest.ts',
    passes: [value('./errors.ts'), type('../chat/protocol.ts')],
    refused: ['../shared/errors.ts', '../orders/service.ts', '../chat/protocol.ts', 'hono'].map(value),
  },
  {
    row: 'object',
    file: 'src/chat/room.do.ts',
    passes: ['cloudflare:workers', './room.ts', './store.ts', './protocol.ts', '../db/client.ts'].map(value),
    refused: ['hono', 'drizzle-orm', '../inbox/inbox.do.ts', '../orders/service.ts', '../services.ts'].map(
      value,
    ),
  },
  {
    row: 'routes',
    file: 'src/orders/routes.ts',
    passes: ['../http/router.ts', './schema.ts', '../shared/query.ts', 'hono/accepts'].map(value),
    refused: [
      ...['./repository.ts', './table.ts', './service.ts', '../users/schema.ts', '../services.ts'].map(value),
      ...['drizzle-orm', '../config.ts', '../db/client.ts', 'cloudflare:workers'].map(value),
      type('./repository.ts'),
    ],
  },
  {
    row: 'schema',
    file: 'src/orders/schema.ts',
    passes: [onlyZ, ...['zod', '../shared/money.ts', './status.ts', './protocol.ts'].map(value)],
    refused: [
      notOnlyZ,
      ...['./service.ts', './table.ts', './repository.ts', '../users/schema.ts', 'hono', 'drizzle-zod'].map(
        value,
      ),
      type('./table.ts'),
    ],
  },
  {
    row: 'protocol',
    file: 'src/chat/protocol.ts',
    passes: ['zod', '../shared/ids.ts'].map(value),
    refused: ['./service.ts', './table.ts', 'hono'].map(value),
  },
  {
    row: 'repository',
    file: 'src/orders/repository.ts',
    passes: [
      ...['drizzle-orm', '../db/raise.ts', '../products/table.ts', '../auth/actor-guard.ts'].map(value),
      ...['./status.ts', '../shared/page.ts'].map(value),
      ...['../db/client.ts', './schema.ts', './merge-lines.ts'].map(type),
    ],
    refused: [
      ...['hono', './service.ts', '../users/service.ts', '../users/repository.ts', '../db/client.ts'].map(
        value,
      ),
      ...['drizzle-orm/neon-http', '@neondatabase/serverless', './schema.ts'].map(value),
      type('./service.ts'),
      type('drizzle-orm/neon-http'),
    ],
  },
  {
    row: 'statement',
    file: 'src/jobs/outbox.ts',
    passes: ['drizzle-orm', './table.ts', '../db/raise.ts'].map(value),
    refused: ['hono', '../orders/service.ts', '../orders/repository.ts', 'drizzle-orm/neon-http'].map(value),
  },
  {
    row: 'producer',
    file: 'src/jobs/producer.ts',
    passes: [value('../shared/errors.ts'), type('./backlog.ts')],
    refused: ['hono', 'drizzle-orm', '../uploads/store.ts', 'cloudflare:workers'].map(value),
  },
  {
    row: 'scanner',
    file: 'src/uploads/scanner.ts',
    passes: ['cloudflare:sockets', '../shared/backoff.ts'].map(value),
    refused: ['cloudflare:workers', 'hono', 'drizzle-orm', './store.ts'].map(value),
  },
  {
    row: 'adapter',
    file: 'src/auth/tokens.ts',
    passes: ['jose', './schema.ts', '../shared/ids.ts'].map(value),
    refused: ['hono', 'drizzle-orm', '../mail/mailer.ts', 'cloudflare:workers', './service.ts'].map(value),
  },
  {
    row: 'service',
    file: 'src/orders/service.ts',
    passes: [
      ...['./merge-lines.ts', '../shared/errors.ts', 'node:crypto'].map(value),
      ...['./schema.ts', './repository.ts', '../users/service.ts', '../auth/tokens.ts'].map(type),
    ],
    refused: [
      ...['hono', 'drizzle-orm', 'cloudflare:workers', 'jose', './repository.ts', './schema.ts'].map(value),
      ...['../auth/password.ts', '../auth/tokens.ts', '../users/service.ts', '../db/client.ts'].map(value),
      type('hono'),
      type('./table.ts'),
      'export const ask = () => fetch("https://example.com")',
      'export const answer = (text: string): Response => JSON.parse(text) as Response',
      'export const read = (request: Request) => request.url',
    ],
  },
  {
    row: 'template',
    file: 'src/mail/templates/sample.tsx',
    passes: [
      ...['hono/jsx', './layout.tsx', '../letter.ts', '../../shared/ids.ts'].map(value),
      type('../../orders/schema.ts'),
    ],
    refused: [
      ...['../service.ts', '../repository.ts', '../mailer.ts', '../../http/router.ts', 'drizzle-orm'].map(
        value,
      ),
      'export const ask = () => fetch("https://example.com")',
    ],
  },
  {
    row: 'pure',
    file: 'src/orders/rotation.ts',
    passes: [value('./status.ts'), value('../shared/errors.ts'), type('../users/schema.ts')],
    refused: [
      ...['hono', 'drizzle-orm', 'cloudflare:workers', './service.ts', './repository.ts'].map(value),
      'export const headers = () => new Headers()',
    ],
  },
  {
    row: 'client entry',
    file: 'src/client/index.ts',
    passes: [`export { createChat } from './chat.ts'`],
    refused: ['../orders/service.ts', '../http/errors.ts', 'drizzle-orm'].map(value),
  },
  {
    row: 'page',
    file: 'web/chat/sample.ts',
    passes: [value('../../src/client/chat.ts')],
    refused: [value('../../src/orders/service.ts')],
  },
  {
    row: 'tool',
    file: 'dev/sample.ts',
    passes: ['../src/auth/password.ts', 'pg', '../src/db/schema.ts'].map(value),
    refused: [value('../workers/api.ts')],
  },
  {
    row: 'edge test',
    file: 'test/edge/sample.test.ts',
    passes: ['../../workers/api.ts', 'vitest'].map(value),
    refused: [value('@/shared/ids.ts')],
  },
  {
    row: 'bench worker',
    file: 'test/bench/workers/sample.ts',
    passes: ['../../../src/limits/store.ts', 'hono', 'cloudflare:workers'].map(value),
    refused: [value('@/shared/ids.ts')],
  },
  {
    row: 'test',
    file: 'src/orders/sample.test.ts',
    passes: ['vitest', './service.ts', 'drizzle-orm', 'hono'].map(value),
    refused: [value('../../workers/api.ts')],
  },
  {
    row: '(none)',
    file: 'src/somewhere.ts',
    passes: [],
    refused: [value('./shared/ids.ts')],
  },
  {
    row: '(barrels, aliases and other ways around)',
    file: 'src/users/sort-order.ts',
    passes: [`import { one, type Other } from './names.ts'`],
    refused: [
      `export { two } from './names.ts'`,
      `export * from './names.ts'`,
      ...['@/shared/ids.ts', '~/shared/ids.ts', '#shared/ids.ts', 'src/shared/ids.ts', 'pg', 'vitest'].map(
        value,
      ),
      `import { three, type Four } from './table.ts'`,
      `import './repository.ts'`,
      `import * as everything from 'hono'`,
      `export const late = () => import('./repository.ts')`,
      `export const later = (path: string) => import(path)`,
      `export type Late = import('./table.ts').Table`,
    ],
  },
]

type Rule = { rule: string; file?: string; lines: string; beside?: Record<string, string> }

/** Other rules of the house. */
const rules: Rule[] = [
  { rule: 'typescript(no-floating-promises)', lines: `export const go = () => {\n  Promise.resolve(1)\n}` },
  { rule: 'typescript(no-explicit-any)', lines: 'export const go = (value: any) => String(value)' },
  { rule: 'typescript(no-unsafe-return)', lines: 'export const go = (text: string) => JSON.parse(text)' },
  {
    rule: 'typescript(no-non-null-assertion)',
    lines: 'export const go = (list: string[]) => list[0]!.length',
  },
  { rule: 'eslint(no-console)', lines: `export const go = () => console.log('hello')` },
  { rule: 'import(no-default-export)', lines: 'export default 1' },
  {
    rule: 'typescript(return-await)',
    lines: `export const go = async (ask: () => Promise<number>) => {
  try {
    return ask()
  } catch {
    return 0
  }
}`,
  },
  {
    rule: 'eslint(no-restricted-properties)',
    file: 'routes.ts',
    lines: 'export const go = (c: { env: unknown }) => c.env',
  },
  { rule: 'selvedge(roles)', lines: `export const go = (role: string) => role === 'admin'` },
  {
    rule: 'selvedge(roles)',
    lines: `export const go = (actor?: { role: string }) => 'user' !== actor?.role`,
  },
  {
    rule: 'selvedge(roles)',
    lines: `export const go = (role: string) => {
  switch (role) {
    case 'admin':
      return true
  }
  return false
}`,
  },
  {
    rule: 'selvedge(roles)',
    lines:
      "import { sql } from 'drizzle-orm'\nexport const go = sql`select from users where users.role = 'admin'`",
  },
  {
    rule: 'selvedge(roles)',
    lines:
      "import { sql } from 'drizzle-orm'\nexport const go = (role: string) => sql`where ${role} <> 'admin'`",
  },
  {
    rule: 'import(no-cycle)',
    lines: `import { there } from './there.ts'\nexport const here = () => there()`,
    beside: { 'there.ts': `import { here } from './sample.ts'\nexport const there = (): number => here()` },
  },
]

const Report = z.object({
  diagnostics: z.array(
    z.object({
      code: z.string().optional(),
      filename: z.string(),
      labels: z.array(z.object({ span: z.object({ line: z.number() }) })),
    }),
  ),
})

/** A folder with the product's own configuration and rule, so that what is proved here is what `npm run check` runs. */
const makeFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'selvedge-lint-'))
  for (const entry of ['.oxlintrc.json', 'package.json', 'tsconfig.json', 'dev/check']) {
    cpSync(join(root, entry), join(folder, entry), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return { folder, write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const { folder, write, remove } = makeFolder()

const lint = () => {
  const { stdout, stderr } = spawnSync(
    join(root, 'node_modules/.bin/oxlint'),
    ['-f', 'json', 'src', 'workers', 'web', 'dev/sample.ts', 'test'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  )
  if (!stdout.startsWith('{')) throw new Error(`oxlint did not run: ${stdout}${stderr}`)
  return Report.parse(JSON.parse(stdout)).diagnostics.map(({ code, filename, labels: [label] }) => ({
    code,
    file: relative(folder, join(folder, filename)),
    line: label?.span.line,
  }))
}

const ruleFile = (n: number, { file = 'sample.ts' }: Rule) => `src/rule${n}/${file}`

let found: ReturnType<typeof lint> = []

beforeAll(() => {
  for (const { file, passes, refused } of samples) write(file, [...passes, ...refused].join('\n'))
  for (const [n, rule] of rules.entries()) {
    write(ruleFile(n, rule), rule.lines)
    for (const [file, text] of Object.entries(rule.beside ?? {})) write(`src/rule${n}/${file}`, text)
  }
  found = lint()
})

afterAll(remove)

describe('the import table', () => {
  it('has a sample for every row', () => {
    const named = rows.map(({ name }) => name).filter((name) => name !== 'manifest')
    expect(samples.map(({ row }) => row)).toEqual(expect.arrayContaining(named))
  })

  it('names only rows and packages that there are', () => {
    const known = new Set([
      '*',
      'package',
      ...rows.map(({ name }) => name),
      ...packages.map(([name]) => name),
    ])
    const named = rows.flatMap(({ values, types = [] }) => [...values, ...types])
    expect(named.map((target) => target.replace(/^own /, '')).filter((target) => !known.has(target))).toEqual(
      [],
    )
  })

  it('reads every sample', () => {
    expect(found.filter(({ code }) => code === undefined)).toEqual([])
  })

  it.each(samples)('row $row: $file', ({ file, passes, refused }) => {
    const lines = [...passes, ...refused]
    const reported = found.filter((one) => one.file === file && one.code === 'selvedge(imports)')
    expect(lines.filter((_, index) => reported.some(({ line }) => line === index + 1))).toEqual(refused)
  })
})

describe('the lint rules', () => {
  it.each(rules.map((rule, n) => ({ ...rule, n })))('$rule is an error', ({ rule, n }) => {
    expect(found.filter(({ file }) => file === ruleFile(n, rules[n]!)).map(({ code }) => code)).toContain(
      rule,
    )
  })
})
