import type { Context } from 'hono'
import { html } from 'hono/html'
import { createRouter } from '../http/router.ts'
import { notFound } from '../shared/errors.ts'

/** Mails are made of inline styles; the frames that show them inherit this policy. */
const policy =
  "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const widths = [
  ['A phone', 390],
  ['A desk', 720],
] as const

type Body = ReturnType<typeof html>

const page = (c: Context, title: string, body: Body) => {
  c.header('Content-Security-Policy', policy)
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          <link rel="icon" href="/favicon.svg" />
          <link rel="stylesheet" href="/site.css" />
        </head>
        <body class="preview">
          ${body}
        </body>
      </html>`,
  )
}

/** Mounted in development only: every mail with invented data, as a phone and a desk show it, and its text. */
export const mailPreviewRoutes = createRouter()

mailPreviewRoutes.get('/', (c) => {
  const { mail } = c.var.services
  const rows = mail
    .previewNames()
    .map((name) => html`<li><a href="/dev/mail/${name}">${name}</a> ${mail.preview(name).subject}</li>`)
  return page(
    c,
    'Mails',
    html`<h1>Mails</h1>
      <ul>
        ${rows}
      </ul>`,
  )
})

mailPreviewRoutes.get('/:template', (c) => {
  const { mail } = c.var.services
  const name = mail.previewNames().find((known) => known === c.req.param('template'))
  if (name === undefined) throw notFound('Template')
  const letter = mail.preview(name)
  const frames = widths.map(
    ([label, width]) =>
      html`<figure>
        <figcaption>${label}, ${width} px</figcaption>
        <iframe title="${label}" sandbox="" width="${width}" height="900" srcdoc="${letter.html}"></iframe>
      </figure>`,
  )
  return page(
    c,
    letter.subject,
    html`<p><a href="/dev/mail">All mails</a></p>
      <h1>${letter.subject}</h1>
      <div class="frames">${frames}</div>
      <h2>Text</h2>
      <pre>${letter.text}</pre>`,
  )
})
