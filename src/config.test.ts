import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

const key = (kid: string) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid }
}

const first = key('2026-11')
const second = key('2026-05')

const production = {
  ENVIRONMENT: 'production',
  LOG_LEVEL: 'info',
  CORS_ORIGINS: 'https://shop.example, https://admin.example',
  JWT_ISSUER: 'https://api.selvedge.example',
  JWT_AUDIENCE: 'selvedge',
  JWT_KEYS: JSON.stringify([first, second]),
  EMAIL_VERIFICATION: 'required',
  TOKEN_SECRET: 'Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS',
  DATABASE_URL: 'postgresql://app:correct-horse-battery@ep-one.neon.example/main',
  DATABASE_FETCH_ENDPOINT: '',
  DATABASE_TIMEOUT_MS: '10000',
  JOB_RUNNER: 'queue',
  OPS_WEBHOOK_URL: 'none',
  LIMITS: '{"login":{"points":7,"duration":600}}',
  UPSTASH_REDIS_REST_URL: 'https://one.upstash.example',
  UPSTASH_REDIS_REST_TOKEN: 'token-of-upstash',
  MAIL: 'resend',
  RESEND_API_KEY: 're_3FhxW7_aaaaaaaaaaaaaaaaaaaaaaaa',
  RESEND_WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}`,
  RESEND_BASE_URL: '',
  MAIL_FROM: 'Selvedge <mail@selvedge.shop>',
  OPS_EMAIL: 'ops@selvedge.shop',
  APP_URL: 'https://selvedge.shop/',
  BREACH_CHECK_URL: 'https://api.pwnedpasswords.com/range',
  SCANNER_URL: 'tls://scanner.example:3310',
  UPLOAD_MAX_BYTES: '52428800',
  UPLOAD_QUOTA_BYTES: '1073741824',
  UPLOAD_QUOTA_FILES: '1000',
  S3_ENDPOINT: 'https://0123456789abcdef.r2.cloudflarestorage.com/',
  S3_BUCKET: 'selvedge-files',
  S3_ACCESS_KEY_ID: '0123456789abcdef0123456789abcdef',
  S3_SECRET_ACCESS_KEY: '0123456789abcdef'.repeat(4),
}

const development = {
  ...production,
  ENVIRONMENT: 'development',
  LOG_LEVEL: 'debug',
  CORS_ORIGINS: '',
  JWT_ISSUER: 'http://127.0.0.1:8787',
  JWT_KEYS: JSON.stringify([key('dev-1')]),
  DATABASE_URL: 'postgres://postgres:postgres@127.0.0.1:5432/postgres',
  DATABASE_FETCH_ENDPOINT: 'http://127.0.0.1:4444/sql',
}

const refusal = (env: unknown): ConfigError => {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('was not refused')
}

describe('readConfig', () => {
  it('reads what production needs', () => {
    expect(readConfig({ ...production, CF_VERSION_METADATA: { id: 'v1', tag: '', timestamp: '' } })).toEqual({
      environment: 'production',
      isDevelopment: false,
      logLevel: 'info',
      corsOrigins: ['https://shop.example', 'https://admin.example'],
      deployment: 'v1',
      jobRunner: 'queue',
      operators: { webhookUrl: undefined },
      database: { databaseUrl: production.DATABASE_URL, fetchEndpoint: undefined, timeoutMs: 10_000 },
      limits: {
        global: { points: 100, duration: 60 },
        login: { points: 7, duration: 600 },
        account: { points: 20, duration: 3_600 },
        forgot: { points: 3, duration: 3_600 },
        'key.free': { points: 100, duration: 3_600 },
        'key.pro': { points: 1_000, duration: 3_600 },
        'key.enterprise': { points: 10_000, duration: 3_600 },
        'chat.send': { points: 20, duration: 10 },
        upload: { points: 10, duration: 3_600 },
        file: { points: 1_000, duration: 60 },
        register: { points: 10, duration: 3_600 },
        confirm: { points: 3, duration: 3_600 },
        password: { points: 10, duration: 900 },
      },
      upstash: { url: 'https://one.upstash.example', token: 'token-of-upstash' },
      mail: {
        provider: {
          apiKey: production.RESEND_API_KEY,
          baseUrl: undefined,
          from: 'Selvedge <mail@selvedge.shop>',
        },
        webhookSecret: production.RESEND_WEBHOOK_SECRET,
        opsEmail: 'ops@selvedge.shop',
        appUrl: 'https://selvedge.shop',
      },
      breachCheckUrl: 'https://api.pwnedpasswords.com/range/',
      scannerUrl: 'tls://scanner.example:3310',
      uploads: { maxBytes: 52_428_800, quota: { bytes: 1_073_741_824, files: 1_000 } },
      s3: {
        endpoint: 'https://0123456789abcdef.r2.cloudflarestorage.com',
        bucket: 'selvedge-files',
        accessKeyId: production.S3_ACCESS_KEY_ID,
        secretAccessKey: production.S3_SECRET_ACCESS_KEY,
      },
      requiresVerifiedEmail: true,
      tokenSecret: production.TOKEN_SECRET,
      tokens: {
        issuer: 'https://api.selvedge.example',
        audience: 'selvedge',
        keys: [first, second],
      },
    })
  })

  it('does without uploads straight to R2, and says when only half of them is there', () => {
    const without = { ...production, S3_ENDPOINT: '', S3_ACCESS_KEY_ID: 'none', S3_SECRET_ACCESS_KEY: 'none' }
    expect(readConfig(without).s3).toBeUndefined()
    expect(refusal({ ...production, S3_ENDPOINT: '' }).message).toContain('S3_ENDPOINT is missing')
    for (const name of ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']) {
      expect(refusal({ ...production, [name]: 'none' }).message).toContain(`${name} is none`)
    }
  })

  it.each([
    [{ S3_ENDPOINT: 'http://account.r2.cloudflarestorage.com' }, 'S3_ENDPOINT is not https'],
    [{ S3_ENDPOINT: 'https://127.0.0.1:8787' }, 'S3_ENDPOINT names this machine'],
    [{ S3_BUCKET: 'My Bucket' }, 'S3_BUCKET is not the name of a bucket'],
    [{ S3_ACCESS_KEY_ID: 'dev-selvedge' }, 'S3_ACCESS_KEY_ID is short or a development key'],
    [
      { S3_SECRET_ACCESS_KEY: 'dev-selvedge-local-r2' },
      'S3_SECRET_ACCESS_KEY is weak or a development secret',
    ],
    [{ S3_SECRET_ACCESS_KEY: 'a'.repeat(64) }, 'S3_SECRET_ACCESS_KEY is weak or a development secret'],
  ])('refuses in production %j', (change, problem) => {
    expect(refusal({ ...production, ...change }).message).toContain(problem)
  })

  it('does without Upstash, and says when only half of it is there', () => {
    const without = { ...production, UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: 'none' }
    expect(readConfig(without).upstash).toBeUndefined()
    const bare = { ...production, UPSTASH_REDIS_REST_TOKEN: 'none' }
    expect(refusal(bare).message).toContain('UPSTASH_REDIS_REST_TOKEN is none')
  })

  it('scans nothing only where that is said', () => {
    expect(readConfig({ ...production, SCANNER_URL: 'off' }).scannerUrl).toBeUndefined()
    for (const SCANNER_URL of ['', 'none', 'https://scanner.example', 'tcp://scanner.example']) {
      expect(refusal({ ...production, SCANNER_URL }).message).toContain('SCANNER_URL is not tls://host:port')
    }
  })

  it('lets a file go to the scanner in clear only over a private network', () => {
    const clear = { ...production, SCANNER_URL: 'tcp://10.0.0.7:3310' }
    expect(refusal(clear).message).toContain('SCANNER_URL is neither tls nor behind the binding SCANNER')
    expect(readConfig({ ...clear, SCANNER: {} }).scannerUrl).toBe('tcp://10.0.0.7:3310')
  })

  it('lets development use what production must not', () => {
    expect(readConfig(development)).toMatchObject({ isDevelopment: true, corsOrigins: [] })
  })

  it.each(Object.keys(production))('names %s when it is missing', (name) => {
    const { problems, message } = refusal({ ...production, [name]: undefined })
    expect(problems.map((problem) => problem.name)).toEqual([name])
    expect(message).toContain(name)
  })

  it('names everything that is missing at once', () => {
    expect(refusal({}).problems.map(({ name }) => name)).toEqual(Object.keys(production))
  })

  const invalid: [string, string][] = [
    ['ENVIRONMENT', 'staging'],
    ['LOG_LEVEL', 'trace'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://shop.example/path'],
    ['CORS_ORIGINS', 'https://SHOP.example'],
    ['CORS_ORIGINS', Array.from({ length: 51 }, (_, n) => `https://${n}.example`).join(',')],
    ['JWT_ISSUER', 'no address'],
    ['JWT_AUDIENCE', ''],
    ['JWT_KEYS', 'no JSON'],
    ['JWT_KEYS', '[]'],
    ['JWT_KEYS', JSON.stringify(first)],
    ['JWT_KEYS', JSON.stringify([first, second, key('third')])],
    ['JWT_KEYS', JSON.stringify([{ ...first, d: undefined }])],
    ['JWT_KEYS', JSON.stringify([{ ...first, crv: 'P-384' }])],
    ['JWT_KEYS', JSON.stringify([{ ...first, kid: '' }])],
    ['JWT_KEYS', JSON.stringify([first, { ...second, kid: first.kid }])],
    ['JWT_KEYS', JSON.stringify([{ ...first, retiresAt: '2026-11-20T12:00:00.000Z' }, second])],
    ['JWT_KEYS', JSON.stringify([{ ...first, signsFrom: 'soon' }])],
    ['EMAIL_VERIFICATION', 'sometimes'],
    ['TOKEN_SECRET', 'short'],
    ['TOKEN_SECRET', `${'Zq3v8yB_E1h5k9nR'.repeat(3)}=`],
    ['DATABASE_URL', 'mysql://app:correct-horse-battery@db.example/main'],
    ['DATABASE_FETCH_ENDPOINT', 'ftp://db.example/sql'],
    ['DATABASE_TIMEOUT_MS', '99'],
    ['DATABASE_TIMEOUT_MS', '60001'],
    ['DATABASE_TIMEOUT_MS', '1e4'],
    ['LIMITS', ''],
    ['LIMITS', '[]'],
    ['LIMITS', '{"globl":{"points":1,"duration":1}}'],
    ['LIMITS', '{"global":{"points":0,"duration":60}}'],
    ['LIMITS', '{"global":{"points":100001,"duration":60}}'],
    ['LIMITS', '{"global":{"points":1.5,"duration":60}}'],
    ['LIMITS', '{"global":{"points":"5","duration":60}}'],
    ['LIMITS', '{"global":{"points":5}}'],
    ['LIMITS', '{"global":{"points":5,"duration":86401}}'],
    ['LIMITS', '{"global":{"points":5,"duration":60,"burst":9}}'],
    ['UPSTASH_REDIS_REST_URL', 'one.upstash.example'],
    ['UPSTASH_REDIS_REST_URL', 'redis://one.upstash.example'],
    ['UPSTASH_REDIS_REST_URL', ''],
    ['UPSTASH_REDIS_REST_TOKEN', ''],
    ['JOB_RUNNER', 'thread'],
    ['OPS_WEBHOOK_URL', ''],
    ['MAIL', 'smtp'],
    ['RESEND_WEBHOOK_SECRET', 'A'.repeat(32)],
    ['RESEND_WEBHOOK_SECRET', 'whsec_short'],
    ['RESEND_BASE_URL', 'ftp://mail.example'],
    ['MAIL_FROM', 'Selvedge'],
    ['MAIL_FROM', 'Selvedge <mail@selvedge.shop>\r\nBcc: all@people.example'],
    ['OPS_EMAIL', 'ops'],
    ['APP_URL', 'selvedge.shop'],
  ]
  it.each(invalid)('refuses %s=%s anywhere', (name, value) => {
    for (const env of [production, development]) {
      expect(refusal({ ...env, [name]: value }).problems.map((problem) => problem.name)).toContain(name)
    }
  })

  const unfit: [string, string][] = [
    ['LOG_LEVEL', 'debug'],
    ['CORS_ORIGINS', 'https://shop.example,http://shop.example'],
    ['JWT_ISSUER', 'http://api.selvedge.example'],
    ['JWT_ISSUER', 'https://api.example.com'],
    ['JWT_KEYS', JSON.stringify([first, key('dev-0123')])],
    ['DATABASE_URL', 'postgres://app:correct-horse-battery@localhost/main'],
    ['DATABASE_URL', 'postgres://app:correct-horse-battery@127.0.0.1/main'],
    ['DATABASE_URL', 'postgres://app:correct-horse-battery@[::1]/main'],
    ['DATABASE_URL', 'postgres://app:correct-horse-battery@db.test/main'],
    ['DATABASE_URL', 'postgres://app:short@ep-one.neon.example/main'],
    ['DATABASE_URL', 'postgres://app@ep-one.neon.example/main'],
    ['DATABASE_URL', 'postgres://long-user-name:long-user-name@ep-one.neon.example/main'],
    ['DATABASE_FETCH_ENDPOINT', 'http://db.example/sql'],
    ['UPSTASH_REDIS_REST_URL', 'http://one.upstash.example'],
    ['RESEND_API_KEY', 're_dev_0123456789abcdef0123'],
    ['RESEND_API_KEY', 're_short'],
    ['RESEND_BASE_URL', 'http://127.0.0.1:4008'],
    ['MAIL_FROM', 'Selvedge <mail@example.com>'],
    ['MAIL_FROM', 'mail@selvedge.test'],
    ['OPS_EMAIL', 'ops@selvedge.test'],
    ['JOB_RUNNER', 'inline'],
    ['OPS_WEBHOOK_URL', 'http://chat.example/hook'],
    ['APP_URL', 'http://selvedge.shop'],
    ['APP_URL', 'https://shop.example.com'],
  ]
  it.each(unfit)('refuses %s=%s in production only', (name, value) => {
    expect(refusal({ ...production, [name]: value }).problems.map((problem) => problem.name)).toEqual([name])
    expect(readConfig({ ...development, [name]: value }).isDevelopment).toBe(true)
  })

  it('asks for nothing of mail when mail is off, and only then', () => {
    const none = { ...production, RESEND_API_KEY: 'none', RESEND_WEBHOOK_SECRET: 'none' }
    const untouched = { MAIL_FROM: 'mail@example.com', OPS_EMAIL: '', APP_URL: 'https://shop.example.com' }
    const off = { ...none, ...untouched, MAIL: 'off', EMAIL_VERIFICATION: 'optional' }
    expect(readConfig(off).mail.provider).toBeUndefined()
    expect(refusal({ ...off, EMAIL_VERIFICATION: 'required' }).message).toContain(
      'EMAIL_VERIFICATION is required, and',
    )
    for (const env of [none, { ...none, ENVIRONMENT: 'development' }]) {
      const names = refusal(env).problems.map(({ name }) => name)
      expect([...new Set(names)]).toEqual(['RESEND_API_KEY', 'RESEND_WEBHOOK_SECRET'])
    }
  })

  it('never tells a value', () => {
    const canary = 'canary-5f1d'
    for (const name of Object.keys(production)) {
      for (const value of [canary, `postgres://u:${canary}@h`, `["${canary}"]`, `https://h/${canary}`]) {
        try {
          readConfig({ ...production, [name]: value })
        } catch (error) {
          expect(JSON.stringify([error, String(error)])).not.toContain(canary)
        }
      }
    }
  })
})
