import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { requestId, type RequestIdVariables } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { home } from '../home.ts'

/** Hono's own middleware for what the product's does, and the shortest log line that says as much. */
const app = new Hono<{ Variables: RequestIdVariables }>()
  .use(requestId())
  .use(async (c, next) => {
    const started = Date.now()
    await next()
    console.log(
      JSON.stringify({
        level: 'info',
        time: new Date().toISOString(),
        msg: 'request',
        requestId: c.get('requestId'),
        method: c.req.method,
        path: c.req.path,
        status: c.res.status,
        durationMs: Date.now() - started,
      }),
    )
  })
  .use(secureHeaders())
  .use(cors({ origin: ['https://shop.example.com'] }))
  .get('/health', (c) =>
    c.json({ status: 'ok', timestamp: new Date().toISOString(), uptime: 42.123, version: '0.1.0' }),
  )
  .get('/', (c) => c.json(home))

export default app
