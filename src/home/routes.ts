import { accepts } from 'hono/accepts'
import { html } from 'hono/html'
import { createRouter } from '../http/router.ts'
import { version } from '../version.ts'

const links = {
  docs: '/api/docs',
  openapi: '/api/v1/openapi.json',
  health: '/health',
  ready: '/ready',
  jwks: '/.well-known/jwks.json',
}

const page = html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Selvedge</title>
      <link rel="icon" href="/favicon.svg" />
      <link rel="stylesheet" href="/site.css" />
    </head>
    <body class="home">
      <main>
        <h1>Selvedge</h1>
        <p>The edge that keeps the cloth from unravelling. Version ${version}.</p>
        <nav aria-label="Links">
          <ul>
            ${Object.entries(links).map(([name, href]) => html`<li><a href="${href}">${name}</a></li>`)}
          </ul>
        </nav>
      </main>
    </body>
  </html>`

export const homeRoutes = createRouter()
homeRoutes.get('/', (c) => {
  c.header('Vary', 'Accept', { append: true })
  const type = accepts(c, {
    header: 'Accept',
    supports: ['application/json', 'text/html'],
    default: 'application/json',
  })
  return type === 'text/html' ? c.html(page) : c.json({ name: 'selvedge', version, links })
})
