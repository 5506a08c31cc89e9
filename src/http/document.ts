import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Handler } from 'hono'
import { version } from '../version.ts'
import type { AppEnv } from './context.ts'

const description = `Order-centred commerce at the edge.

Success is \`{ "data": … }\`, lists add \`pagination\`, or, where they only
grow, \`page\` with \`nextCursor\`, which is the \`cursor\` of the next request. Failure is
\`{ "error": { code, message, details?, requestId } }\`; codes are stable. Money is a decimal string, time is UTC
ISO 8601, ids are UUID v7. Log in at \`POST /api/auth/login\` and send the access token as
\`Authorization: Bearer\`. Programs send an API key (\`sk_…\`) in the same place, where an operation names its scope.

Requests are limited: \`X-RateLimit-Limit\`, \`-Remaining\` and \`-Reset\` (Unix seconds) and \`RateLimit\` tell of the
policy with the least remaining, \`RateLimit-Policy\` of all; a 429 has \`Retry-After\`.`

const tags = [
  { name: 'auth', description: 'Logging in, and the keys that verify tokens' },
  { name: 'api-keys', description: 'Credentials of programs' },
  { name: 'users', description: 'Accounts' },
  { name: 'categories', description: 'What products are grouped by' },
  { name: 'products', description: 'The catalogue' },
  { name: 'orders', description: 'Placing orders and moving them along' },
  { name: 'jobs', description: 'Work in the background: what waits, what failed, and what to do about it' },
  { name: 'webhooks', description: 'For providers: what they tell us, signed' },
  { name: 'reports', description: 'Figures and lists of a period, as files' },
  { name: 'uploads', description: 'Files: sent, scanned, and made into what is shown' },
  { name: 'health', description: 'Probes' },
]

/** OpenAPI 3.1 of every registered route. */
export const describeApi = (app: OpenAPIHono<AppEnv>) => {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'Access token of POST /api/auth/login',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'sk_…',
    description: 'API key of POST /api/v1/api-keys; operations name the scope that it needs',
  })
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Selvedge', version, description, license: { name: 'MIT' } },
    servers: [{ url: '/' }],
    tags,
  })
}

/** Made at the first request and kept as text for the isolate's life. */
export const openApiDocument = (app: OpenAPIHono<AppEnv>): Handler<AppEnv> => {
  let text: string | undefined
  return (c) => {
    text ??= JSON.stringify(describeApi(app))
    return c.body(text, 200, { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=60' })
  }
}
