import type { LocalDatabase } from './database.ts'
import type { LocalRedis } from './redis.ts'
import type { DevInfo } from './state.ts'

/** `mail` is the page of the local inbox. */
export function stackUrls(port: number, mail: string) {
  const api = `http://127.0.0.1:${port}`
  return {
    api,
    chat: `${api}/chat`,
    docs: `${api}/api/docs`,
    openapi: `${api}/api/v1/openapi.json`,
    health: `${api}/health`,
    ready: `${api}/ready`,
    mail,
    mailPreview: `${api}/dev/mail`,
    // The runtime serves the local bucket there (wrangler.toml).
    store: `${api}/cdn-cgi/local/r2/s3`,
  }
}

type Kinds = { database: LocalDatabase['kind']; redis: LocalRedis['kind'] | 'upstash' | 'none' }
type Summary = {
  info: DevInfo
  folder: string
  kinds: Kinds
  /** As scannerName has it. */
  scanner: string
  startedMs: number
}

const redisNames = { embedded: 'embedded', server: 'redis-server', upstash: 'Upstash', none: 'none' }

/** What the terminal shows once the stack is ready. */
export function summary({ info, folder, kinds, scanner, startedMs }: Summary): string {
  const rows = [
    ['API', info.urls.api],
    ['Chat', info.urls.chat],
    ['Docs', info.urls.docs],
    ['OpenAPI', info.urls.openapi],
    ['Health', `${info.urls.health}  ${info.urls.ready}`],
    ['Mail inbox', info.urls.mail],
    ['Mail page', info.urls.mailPreview],
    [
      'Database',
      kinds.database === 'pglite' ? `embedded, ${info.databaseUrl}` : withoutPassword(info.databaseUrl),
    ],
    ['Redis', [redisNames[kinds.redis], info.urls.redis].filter(Boolean).join(', ')],
    ['Scanner', scanner],
    ['State', folder],
    ...info.logins.map(({ role, email, password }) => [
      `Login`,
      `${email.padEnd(24)}  ${password}  (${role})`,
    ]),
  ]
  const table = rows.map(([name = '', value = '']) => `  ${name.padEnd(12)}${value}`).join('\n')
  return `\nSelvedge is ready after ${(startedMs / 1_000).toFixed(1)} s\n\n${table}\n\nCtrl-C stops it.\n`
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return '(DATABASE_URL)'
  const shown = new URL(url)
  if (shown.password !== '') shown.password = '***'
  return shown.href
}
