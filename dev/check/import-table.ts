/**
 * Who may import whom: the one statement of it, read by the lint rule in import-rule.ts. What a row does not name is
 * refused. A target is the name of a row; `own …` is that row inside the same feature folder; the names in
 * `packages` below stand for packages, and `package` for any other dependency. `*` is everything but a worker.
 */
export type Row = {
  name: string
  /** Globs from the root of the repository; a file belongs to the first row that matches. */
  files: string[]
  values: string[]
  /** Beside `values`, as types only: gone after compilation. */
  types?: string[]
  /** Of a package that `values` does not admit, these names nevertheless. */
  names?: Record<string, string[]>
  /** Globals that never occur, neither as value nor as type. */
  globals?: string[]
  /** May hold `export … from`. */
  reexports?: true
}

const web = ['Request', 'Response', 'Headers', 'fetch', 'WebSocket', 'caches']

/** zod with OpenAPI's `.openapi()`, and nothing else of that package. */
const zodOnly = { '@hono/zod-openapi': ['z'] }

export const rows: Row[] = [
  // Tests in the Worker's own runtime: the Worker is what they test. Nobody else imports it.
  { name: 'edge test', files: ['test/edge/**', 'test/support/edge-*.ts'], values: ['*', 'worker'] },
  // Workers that stand beside the product: a Worker's module exports its object classes.
  { name: 'bench worker', files: ['test/bench/workers/*.ts'], values: ['*'], reexports: true },
  { name: 'test', files: ['test/**', '**/*.test.ts'], values: ['*'] },
  { name: 'tool', files: ['dev/**', '*.config.ts'], values: ['*'] },
  { name: 'manifest', files: ['package.json'], values: [] },
  {
    name: 'worker',
    files: ['workers/*.ts'],
    values: ['worker', 'app', 'root', 'config', 'object', 'producer', 'shared', 'cloudflare'],
    reexports: true,
  },
  {
    name: 'app',
    files: ['src/app.ts'],
    values: ['http', 'routes', 'shared', 'hono'],
    types: ['config', 'root'],
  },
  {
    name: 'root',
    files: ['src/services.ts'],
    values: [
      'driver',
      'repository',
      'adapter',
      'scanner',
      'producer',
      'service',
      'template',
      'pure',
      'shared',
    ],
    types: ['config', 'schema', 'protocol', 'statement'],
  },
  { name: 'config', files: ['src/config.ts'], values: ['shared', 'zod'], names: zodOnly },
  {
    name: 'shared',
    files: ['src/shared/**', 'src/version.ts'],
    values: ['shared', 'manifest', 'zod', 'node', 'package'],
    names: zodOnly,
  },
  {
    name: 'http',
    files: ['src/http/**'],
    values: ['http', 'shared', 'hono', 'zod'],
    types: ['config', 'root', 'service'],
  },
  {
    name: 'driver',
    files: ['src/db/client.ts'],
    values: ['violations', 'shared', 'drizzle', 'neon'],
  },
  {
    name: 'violations',
    files: ['src/db/violations.ts'],
    values: ['shared', 'zod'],
    names: { '@neondatabase/serverless': ['NeonDbError'] },
  },
  { name: 'tables', files: ['src/db/schema.ts'], values: ['table'], reexports: true },
  // Types of pure modules and of shared/ only: a column's enumeration, which `$type<…>()` needs.
  { name: 'table', files: ['src/*/table.ts'], values: ['table', 'drizzle'], types: ['shared', 'own pure'] },
  { name: 'db', files: ['src/db/*.ts'], values: ['db', 'table', 'shared', 'drizzle'] },
  // The entry of `selvedge/client`.
  { name: 'client entry', files: ['src/client/index.ts'], values: ['client'], reexports: true },
  {
    name: 'client',
    files: ['src/client/**'],
    values: ['client', 'package'],
    types: ['protocol'],
  },
  // Pages of our own: users of the client, bundled by dev/assets.mjs.
  { name: 'page', files: ['web/**'], values: ['page', 'client', 'package'] },
  {
    name: 'object',
    files: ['src/**/*.do.ts'],
    values: [
      // Of any feature: a shell may stand over several, as that of a key over its record and the window of its limit.
      'pure',
      'own adapter',
      'protocol',
      'config',
      'driver',
      'repository',
      'producer',
      'shared',
      'cloudflare',
    ],
    types: ['schema'],
  },
  {
    name: 'routes',
    files: ['src/*/routes*.ts'],
    values: ['http', 'own schema', 'own protocol', 'shared', 'hono'],
    types: ['schema'],
  },
  {
    name: 'protocol',
    files: ['src/*/protocol.ts', 'src/*/catalog.ts'],
    values: ['protocol', 'shared', 'zod', 'own pure'],
    names: zodOnly,
  },
  {
    name: 'schema',
    files: ['src/*/schema*.ts'],
    values: ['own schema', 'own protocol', 'shared', 'zod', 'own pure'],
    names: zodOnly,
  },
  {
    name: 'repository',
    files: ['src/*/repository.ts', 'src/*/*-repository.ts'],
    values: ['drizzle', 'db', 'table', 'statement', 'shared', 'own pure'],
    types: ['driver', 'schema', 'protocol', 'pure'],
  },
  // What joins another feature's transaction (functions that return a statement for its batch), and what a row looks
  // like to the API, as JSON made in SQL.
  {
    name: 'statement',
    files: [
      'src/auth/actor-guard.ts',
      'src/auth/revoke-sessions.ts',
      'src/jobs/outbox.ts',
      'src/*/statements.ts',
      'src/*/*-statements.ts',
      'src/audit/record.ts',
      'src/mail/facts.ts',
      'src/mail/forget-recipient.ts',
      'src/*/json.ts',
      'src/reports/queries.ts',
    ],
    values: ['drizzle', 'db', 'table', 'statement', 'shared', 'own pure'],
    types: ['driver', 'schema', 'protocol', 'pure'],
  },
  {
    name: 'producer',
    files: ['src/jobs/producer.ts'],
    values: ['shared', 'own protocol', 'zod'],
    types: ['pure'],
  },
  {
    name: 'scanner',
    files: ['src/*/scanner.ts'],
    values: ['own pure', 'shared', 'sockets', 'node'],
    types: ['pure'],
  },
  // What a person reads, made of hono/jsx from plain data.
  {
    name: 'template',
    files: ['src/*/templates/**'],
    values: ['own template', 'own pure', 'shared', 'hono'],
    types: ['schema', 'protocol', 'pure'],
    globals: web,
  },
  // One SDK or binding each, and never one another.
  {
    name: 'adapter',
    files: [
      'src/auth/tokens.ts',
      'src/jobs/webhook.ts',
      'src/*/mailer.ts',
      'src/users/breaches.ts',
      'src/*/store.ts',
      'src/chat/rooms.ts',
      'src/inbox/inboxes.ts',
      'src/*/fonts.ts',
      'src/*/images.ts',
      'src/*/upstash.ts',
      'src/*/s3.ts',
      'src/uploads/sweep-place.ts',
    ],
    values: ['shared', 'own schema', 'own protocol', 'own pure', 'zod', 'node', 'sdk', 'package'],
    types: ['pure'],
  },
  {
    name: 'service',
    files: ['src/*/service.ts', 'src/*/service/*.ts', 'src/*/builder.ts', 'src/*/pipeline.ts'],
    values: ['own service', 'own pure', 'own protocol', 'shared', 'node', 'package'],
    types: [
      'schema',
      'protocol',
      'repository',
      'statement',
      'adapter',
      'scanner',
      'producer',
      'service',
      'pure',
    ],
    globals: web,
  },
  {
    name: 'pure',
    files: ['src/*/*.ts', 'src/*/pdf/*.ts', 'src/chat/room/*.ts'],
    values: ['own pure', 'own protocol', 'shared', 'node', 'package'],
    types: ['schema', 'protocol', 'repository', 'statement', 'own adapter', 'producer', 'service', 'pure'],
    globals: web,
  },
]

/** First match wins; what matches none is `package`. */
export const packages: [name: string, specifiers: RegExp][] = [
  ['node', /^node:/],
  ['sockets', /^cloudflare:sockets$/],
  ['cloudflare', /^cloudflare:/],
  ['neon', /^(@neondatabase\/|drizzle-orm\/neon)/],
  ['drizzle', /^drizzle-/],
  ['hono', /^(hono|@hono\/[^/]+)(\/|$)/],
  ['zod', /^zod(\/|$)/],
  // Clients of services and formats that an adapter hides.
  ['sdk', /^(jose|resend|aws4fetch|@upstash\/[^/]+)(\/|$)/],
]
