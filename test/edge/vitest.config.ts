import { fileURLToPath } from 'node:url'
import { buffer } from 'node:stream/consumers'
import { cloudflareTest } from '@cloudflare/vitest-pool-workers'
import { defineConfig } from 'vitest/config'
import { generousLimits } from '../support/generous-limits.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export default defineConfig({
  root,
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: `${root}wrangler.toml` },
      miniflare: {
        // The local bucket by its S3 endpoint, for clients that send straight to it.
        serviceBindings: {
          async STORE({ url, method, headers, body }, miniflare) {
            return await miniflare.dispatchFetch(url, {
              method,
              // Both are signed: the host that was asked for, and of a whole body its length.
              headers: { ...Object.fromEntries(headers), 'MF-Original-Hostname': new URL(url).host },
              body: body && (await buffer(body)),
            })
          },
        },
        // Jobs run when a test delivers them: nobody consumes this queue.
        queueProducers: { JOBS: 'unheard', DEAD_JOBS: 'unheard' },
        bindings: {
          ENVIRONMENT: 'development',
          LOG_LEVEL: 'debug',
          CORS_ORIGINS: 'https://shop.example,https://admin.example',
          JWT_ISSUER: 'https://api.selvedge.test',
          JWT_AUDIENCE: 'selvedge',
          JWT_KEYS: inject('jwtKeys'),
          EMAIL_VERIFICATION: 'optional',
          TOKEN_SECRET: inject('tokenSecret'),
          DATABASE_URL: inject('databaseUrl'),
          DATABASE_FETCH_ENDPOINT: inject('fetchEndpoint'),
          DATABASE_TIMEOUT_MS: '10000',
          JOB_RUNNER: 'queue',
          OPS_WEBHOOK_URL: 'none',
          UPSTASH_REDIS_REST_URL: '',
          UPSTASH_REDIS_REST_TOKEN: 'none',
          // Low enough that a test can reach it.
          LIMITS: JSON.stringify({
            ...JSON.parse(generousLimits),
            'chat.send': { points: 60, duration: 60 },
          }),
          MAIL: 'resend',
          RESEND_API_KEY: 're_dev_test',
          RESEND_WEBHOOK_SECRET: inject('webhookSecret'),
          RESEND_BASE_URL: inject('resendUrl'),
          MAIL_FROM: 'Selvedge <mail@selvedge.test>',
          OPS_EMAIL: 'ops@selvedge.test',
          BREACH_CHECK_URL: '',
          S3_ENDPOINT: 'https://store.selvedge.test/cdn-cgi/local/r2/s3',
          S3_BUCKET: 'selvedge-files',
          S3_ACCESS_KEY_ID: 'dev-selvedge',
          S3_SECRET_ACCESS_KEY: 'dev-selvedge-local-r2',
          SCANNER_URL: 'off',
          UPLOAD_MAX_BYTES: '52428800',
          UPLOAD_QUOTA_BYTES: '1073741824',
          UPLOAD_QUOTA_FILES: '1000',
          APP_URL: 'https://shop.selvedge.test/',
        },
      },
    })),
  ],
  test: {
    name: 'edge',
    include: ['test/edge/**/*.test.ts'],
    globalSetup: ['test/support/edge-setup.ts'],
    setupFiles: ['test/support/edge-file.ts'],
    // One database for all files, and its rows are each file's own.
    fileParallelism: false,
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { groupOrder: 1 },
  },
})
