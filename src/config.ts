import { z } from 'zod'
import { logLevels } from './shared/logger.ts'
import { policies } from './shared/policies.ts'

const environments = ['development', 'test', 'preview', 'production'] as const

/** A private ES256 key (RFC 7517). Its `kid` names it in tokens and in the published key set. */
const SigningKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.base64url().length(43),
  y: z.base64url().length(43),
  d: z.base64url().length(43),
  kid: z.string().min(1).max(64),
  /** Published from the start; until then the other key signs. */
  signsFrom: z.iso.datetime().optional(),
  /** Neither published nor accepted any more. */
  retiresAt: z.iso.datetime().optional(),
})

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('is not JSON')
    return z.NEVER
  }
})

const Origin = z
  .string()
  .refine((text) => URL.canParse(text) && new URL(text).origin === text, 'is not an origin')

const list = z.string().transform((text) => text.split(',').flatMap((part) => part.trim() || []))

/** An object keeps 8 bytes an admission in the window, so that this bounds it to 0.8 MB. */
const Quota = z.strictObject({
  points: z.int().min(1).max(100_000),
  duration: z.int().min(1).max(86_400),
})

const Limits = z.strictObject({
  global: Quota.default(policies.global),
  login: Quota.default(policies.login),
  account: Quota.default(policies.account),
  forgot: Quota.default(policies.forgot),
  'key.free': Quota.default(policies['key.free']),
  'key.pro': Quota.default(policies['key.pro']),
  'key.enterprise': Quota.default(policies['key.enterprise']),
  'chat.send': Quota.default(policies['chat.send']),
  upload: Quota.default(policies.upload),
  file: Quota.default(policies.file),
  register: Quota.default(policies.register),
  confirm: Quota.default(policies.confirm),
  password: Quota.default(policies.password),
})

/** `Name <address>` or an address: what stands in From. */
const Mailbox = z
  .string()
  .regex(/^(?:[^<>"\r\n]{1,100} )?<?[^\s<>@"]+@[^\s<>@"]+>?$/, 'is not "Name <address>"')

/** Where clamd listens, or that none does. */
const ScannerUrl = z
  .string()
  .regex(
    /^(off|(tcp|tls):\/\/([\w.-]+|\[[\da-f:.]+\]):\d{1,5})$/i,
    'is not tls://host:port, tcp://host:port or off',
  )

const WebhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'is not whsec_ and base64 of 24 bytes or more')

const amount = (max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'is not a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(max))

export const Environment = z.object({
  ENVIRONMENT: z.enum(environments),
  LOG_LEVEL: z.enum(logLevels),
  CORS_ORIGINS: list.pipe(z.array(Origin).max(50)),
  JWT_ISSUER: z.url(),
  JWT_AUDIENCE: z.string().min(1),
  JWT_KEYS: json.pipe(z.array(SigningKey).min(1).max(2)),
  EMAIL_VERIFICATION: z.enum(['optional', 'required']),
  TOKEN_SECRET: z.string().regex(/^[\w-]{43,200}$/, 'is not base64url of 32 bytes or more'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  DATABASE_FETCH_ENDPOINT: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
  DATABASE_TIMEOUT_MS: z
    .string()
    .regex(/^\d{3,5}$/, 'is not 100 to 60000')
    .transform(Number)
    .pipe(z.number().min(100).max(60_000)),
  JOB_RUNNER: z.enum(['queue', 'inline']),
  OPS_WEBHOOK_URL: z.union([z.literal('none'), z.url({ protocol: /^https?$/ })]),
  LIMITS: json.pipe(Limits),
  UPSTASH_REDIS_REST_URL: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  MAIL: z.enum(['resend', 'off']),
  RESEND_API_KEY: z.string().min(1),
  RESEND_WEBHOOK_SECRET: z.union([z.literal('none'), WebhookSecret]),
  RESEND_BASE_URL: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
  MAIL_FROM: Mailbox,
  OPS_EMAIL: z.union([z.literal(''), z.email()]),
  APP_URL: z.url({ protocol: /^https?$/ }),
  BREACH_CHECK_URL: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
  SCANNER_URL: ScannerUrl,
  /** A private way to the scanner: a binding with `connect()`. */
  SCANNER: z.unknown().optional(),
  // Cloudflare takes no larger body on its smaller plans.
  UPLOAD_MAX_BYTES: amount(100_000_000),
  UPLOAD_QUOTA_BYTES: amount(1e15 - 1),
  UPLOAD_QUOTA_FILES: amount(1_000_000),
  S3_ENDPOINT: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
  S3_BUCKET: z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'is not the name of a bucket'),
  S3_ACCESS_KEY_ID: z.string().min(1),
  S3_SECRET_ACCESS_KEY: z.string().min(1),
  CF_VERSION_METADATA: z.object({ id: z.string() }).optional(),
})

export type Config = ReturnType<typeof toConfig>

const toConfig = (env: z.infer<typeof Environment>) => ({
  environment: env.ENVIRONMENT,
  isDevelopment: env.ENVIRONMENT === 'development',
  logLevel: env.LOG_LEVEL,
  corsOrigins: env.CORS_ORIGINS,
  deployment: env.CF_VERSION_METADATA?.id,
  database: {
    databaseUrl: env.DATABASE_URL,
    fetchEndpoint: env.DATABASE_FETCH_ENDPOINT || undefined,
    timeoutMs: env.DATABASE_TIMEOUT_MS,
  },
  jobRunner: env.JOB_RUNNER,
  operators: { webhookUrl: env.OPS_WEBHOOK_URL === 'none' ? undefined : env.OPS_WEBHOOK_URL },
  limits: env.LIMITS,
  upstash:
    env.UPSTASH_REDIS_REST_URL === ''
      ? undefined
      : { url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN },
  mail: {
    provider:
      env.MAIL === 'off'
        ? undefined
        : { apiKey: env.RESEND_API_KEY, baseUrl: env.RESEND_BASE_URL || undefined, from: env.MAIL_FROM },
    webhookSecret: env.RESEND_WEBHOOK_SECRET === 'none' ? '' : env.RESEND_WEBHOOK_SECRET,
    opsEmail: env.OPS_EMAIL || undefined,
    appUrl: env.APP_URL.replace(/\/+$/, ''),
  },
  breachCheckUrl: env.BREACH_CHECK_URL === '' ? undefined : env.BREACH_CHECK_URL.replace(/\/*$/, '/'),
  scannerUrl: env.SCANNER_URL === 'off' ? undefined : env.SCANNER_URL,
  uploads: {
    maxBytes: env.UPLOAD_MAX_BYTES,
    quota: { bytes: env.UPLOAD_QUOTA_BYTES, files: env.UPLOAD_QUOTA_FILES },
  },
  s3:
    env.S3_ENDPOINT === ''
      ? undefined
      : {
          endpoint: env.S3_ENDPOINT.replace(/\/+$/, ''),
          bucket: env.S3_BUCKET,
          accessKeyId: env.S3_ACCESS_KEY_ID,
          secretAccessKey: env.S3_SECRET_ACCESS_KEY,
        },
  requiresVerifiedEmail: env.EMAIL_VERIFICATION === 'required',
  tokenSecret: env.TOKEN_SECRET,
  tokens: { issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE, keys: env.JWT_KEYS },
})

const isLocal = (url: string): boolean =>
  /^(localhost|127\.|\[::1\]|0\.0\.0\.0|.*\.(local|test|localhost)$)/.test(new URL(url).hostname)

type Problem = { name: string; problem: string }

const told = (checks: readonly [boolean, string, string][]): Problem[] =>
  checks.flatMap(([bad, name, problem]) => (bad ? [{ name, problem }] : []))

/** Half of something is there: nothing is lost silently. */
const contradictions = (env: z.infer<typeof Environment>): Problem[] => {
  const kids = env.JWT_KEYS.map(({ kid }) => kid)
  const [url, token] = [env.UPSTASH_REDIS_REST_URL, env.UPSTASH_REDIS_REST_TOKEN]
  const mails = env.MAIL !== 'off'
  const signs = env.S3_ENDPOINT !== ''
  return told([
    [new Set(kids).size < kids.length, 'JWT_KEYS', 'repeats a kid'],
    [env.JWT_KEYS[0]?.retiresAt !== undefined, 'JWT_KEYS', 'begins with a key that retires'],
    [url !== '' && token === 'none', 'UPSTASH_REDIS_REST_TOKEN', 'is none'],
    [url === '' && token !== 'none', 'UPSTASH_REDIS_REST_URL', 'is missing'],
    [signs && env.S3_ACCESS_KEY_ID === 'none', 'S3_ACCESS_KEY_ID', 'is none'],
    [signs && env.S3_SECRET_ACCESS_KEY === 'none', 'S3_SECRET_ACCESS_KEY', 'is none'],
    [!signs && env.S3_SECRET_ACCESS_KEY !== 'none', 'S3_ENDPOINT', 'is missing'],
    [env.UPLOAD_QUOTA_BYTES < env.UPLOAD_MAX_BYTES, 'UPLOAD_QUOTA_BYTES', 'is less than UPLOAD_MAX_BYTES'],
    [!mails && env.EMAIL_VERIFICATION === 'required', 'EMAIL_VERIFICATION', 'is required, and MAIL is off'],
    [mails && env.RESEND_API_KEY === 'none', 'RESEND_API_KEY', 'is none, and MAIL is not off'],
    [mails && env.RESEND_WEBHOOK_SECRET === 'none', 'RESEND_WEBHOOK_SECRET', 'is none, and MAIL is not off'],
  ])
}

const mailUnfitForProduction = (env: z.infer<typeof Environment>): [boolean, string, string][] => {
  if (env.MAIL === 'off') return []
  const isExample = (text: string) =>
    /@(?:[\w-]+\.)*(?:example\.(?:com|net|org)|[\w-]+\.(?:test|example|invalid))>?$/i.test(text)
  return [
    [/^re_dev|^.{0,19}$/.test(env.RESEND_API_KEY), 'RESEND_API_KEY', 'is short or a development key'],
    [env.RESEND_BASE_URL.startsWith('http:'), 'RESEND_BASE_URL', 'is not https'],
    [isExample(env.MAIL_FROM), 'MAIL_FROM', 'is still the example'],
    [isExample(env.OPS_EMAIL), 'OPS_EMAIL', 'is still the example'],
    [!env.APP_URL.startsWith('https://'), 'APP_URL', 'is not https'],
    [new URL(env.APP_URL).hostname === 'shop.example.com', 'APP_URL', 'is still the example'],
  ]
}

/** Random text of this length has two dozen different characters or more. */
const isWeak = (secret: string): boolean => secret.startsWith('dev-') || new Set(secret).size < 16

const storeUnfitForProduction = (env: z.infer<typeof Environment>): [boolean, string, string][] => {
  if (env.S3_ENDPOINT === '') return []
  return [
    [!env.S3_ENDPOINT.startsWith('https://'), 'S3_ENDPOINT', 'is not https'],
    [isLocal(env.S3_ENDPOINT), 'S3_ENDPOINT', 'names this machine'],
    [/^dev-|^.{0,15}$/.test(env.S3_ACCESS_KEY_ID), 'S3_ACCESS_KEY_ID', 'is short or a development key'],
    // R2's are 64 hexadecimal digits.
    [
      /^dev-|^.{0,31}$/.test(env.S3_SECRET_ACCESS_KEY) || new Set(env.S3_SECRET_ACCESS_KEY).size < 8,
      'S3_SECRET_ACCESS_KEY',
      'is weak or a development secret',
    ],
  ]
}

/** What development may do and production must not. */
const unfitForProduction = (env: z.infer<typeof Environment>): Problem[] => {
  const { username, password } = new URL(env.DATABASE_URL)
  return told([
    [env.JWT_KEYS.some(({ kid }) => kid.startsWith('dev-')), 'JWT_KEYS', 'holds a development key'],
    [isWeak(env.TOKEN_SECRET), 'TOKEN_SECRET', 'is weak or a development secret'],
    [!env.JWT_ISSUER.startsWith('https://'), 'JWT_ISSUER', 'is not https'],
    [env.JWT_ISSUER === 'https://api.example.com', 'JWT_ISSUER', 'is still the example'],
    [isLocal(env.DATABASE_URL), 'DATABASE_URL', 'names this machine'],
    [password.length < 12 || password === username, 'DATABASE_URL', 'has a weak password'],
    [env.DATABASE_FETCH_ENDPOINT.startsWith('http:'), 'DATABASE_FETCH_ENDPOINT', 'is not https'],
    [env.UPSTASH_REDIS_REST_URL.startsWith('http:'), 'UPSTASH_REDIS_REST_URL', 'is not https'],
    [
      env.CORS_ORIGINS.some((origin) => !origin.startsWith('https://')),
      'CORS_ORIGINS',
      'holds an origin without https',
    ],
    [env.JOB_RUNNER === 'inline', 'JOB_RUNNER', 'is for previews'],
    [env.OPS_WEBHOOK_URL.startsWith('http:'), 'OPS_WEBHOOK_URL', 'is not https'],
    [env.BREACH_CHECK_URL.startsWith('http:'), 'BREACH_CHECK_URL', 'is not https'],
    [
      env.SCANNER_URL.startsWith('tcp:') && env.SCANNER === undefined,
      'SCANNER_URL',
      'is neither tls nor behind the binding SCANNER',
    ],
    [env.LOG_LEVEL === 'debug', 'LOG_LEVEL', 'would log bodies'],
    ...storeUnfitForProduction(env),
    ...mailUnfitForProduction(env),
  ])
}

const unfitFor = (env: z.infer<typeof Environment>): Problem[] => {
  if (env.ENVIRONMENT === 'production') return unfitForProduction(env)
  const wouldTell = env.ENVIRONMENT === 'preview' && env.LOG_LEVEL === 'debug'
  return wouldTell ? [{ name: 'LOG_LEVEL', problem: 'would log bodies' }] : []
}

/** Names what is missing or weak, never a value. */
export class ConfigError extends Error {
  readonly problems: Problem[]

  constructor(problems: Problem[]) {
    super(`Refusing to serve: ${problems.map(({ name, problem }) => `${name} ${problem}`).join('; ')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

const problemOf = ({ path, code, message }: z.core.$ZodIssue): Problem => {
  const name = String(path[0] ?? 'environment')
  if (code === 'invalid_type' && path.length === 1) return { name, problem: 'is missing' }
  const where = path.length > 1 ? ` at ${path.slice(1).join('.')}` : ''
  return { name, problem: code === 'custom' || code === 'invalid_format' ? message : `is not valid${where}` }
}

/** @throws ConfigError */
export const readConfig = (env: unknown): Config => {
  const parsed = Environment.safeParse(env)
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(problemOf))
  const { data } = parsed
  const problems = [...contradictions(data), ...unfitFor(data)]
  if (problems.length > 0) throw new ConfigError(problems)
  return toConfig(data)
}
