import { swaggerUI } from '@hono/swagger-ui'
import { unlimited } from '../http/middleware/limit-marks.ts'
import { createRouter } from '../http/router.ts'

/** Swagger UI from our own assets (public/swagger, public/docs.js): nothing inline, nothing from elsewhere. */
const page = `
  <link rel="icon" href="/favicon.svg" />
  <link rel="stylesheet" href="/swagger/swagger-ui.css" />
  <link rel="stylesheet" href="/site.css" />
  <div id="swagger-ui"></div>
  <script src="/swagger/swagger-ui-bundle.js" defer></script>
  <script src="/docs.js" defer></script>`

export const docsRoutes = createRouter()
docsRoutes.get(
  '/',
  unlimited,
  swaggerUI({ title: 'Selvedge API', url: '/api/v1/openapi.json', manuallySwaggerUIHtml: () => page }),
)
