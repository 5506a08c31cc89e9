// Bundled and run by api-document.ts: the app as the Worker assembles it, but nothing is asked of its services.
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { describeApi } from '../../src/http/document.ts'
import { createLogger } from '../../src/shared/logger.ts'
import { makeJwtKeys, makeTokenSecret, makeWebhookSecret } from '../secrets.ts'
import { parseVars } from '../vars.ts'

/** `example` is the text of .dev.vars.example. */
export const describe = (example: string) => {
  const config = readConfig({
    ...parseVars(example, '.dev.vars.example'),
    DATABASE_URL: 'postgres://nobody@127.0.0.1/none',
    JWT_KEYS: makeJwtKeys(),
    TOKEN_SECRET: makeTokenSecret(),
    RESEND_WEBHOOK_SECRET: makeWebhookSecret(),
    S3_ENDPOINT: 'http://127.0.0.1',
    SCANNER_URL: 'off',
  })
  const app = createApp({
    config,
    log: createLogger({ level: 'error', pretty: false }),
    servicesOf: () => {
      throw new Error('The document is made without services')
    },
  })
  return describeApi(app)
}
