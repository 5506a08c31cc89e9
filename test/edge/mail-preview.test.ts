import { expect, it } from 'vitest'
import { templateNames } from '../../src/mail/samples.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'

it('lists every template in development, and shows each as HTML and as text under its own policy', async () => {
  const { text: list } = await api('GET', '/dev/mail')
  const names = [...list.matchAll(/href="\/dev\/mail\/(\w+)"/g)].map(([, name]) => name)
  expect(names).toEqual(templateNames)
  for (const name of names) {
    const { status, text, headers } = await api('GET', `/dev/mail/${name}`)
    expect(status).toBe(200)
    expect(headers.get('Content-Security-Policy')).toMatch(/style-src 'self' 'unsafe-inline'/)
    expect(headers.get('Content-Security-Policy')).toMatch(/default-src 'none'/)
    // The mail is a value of an attribute, so all of its markup is escaped.
    expect(text).toContain('srcdoc="&lt;!doctype html&gt;')
    expect(text).toMatch(/<pre>\S/)
  }
})

it('knows no other template, and pages of all others keep their policy', async () => {
  expect((await api('GET', '/dev/mail/toString')).status).toBe(404)
  const { headers } = await api('GET', '/api/docs')
  expect(headers.get('Content-Security-Policy')).not.toContain('unsafe-inline')
})

it('is not there outside development', async () => {
  const { request } = appWith({ env: { ENVIRONMENT: 'test' } })
  for (const [method, path] of [
    ['GET', '/dev/mail'],
    ['GET', '/dev/mail/orderConfirmed'],
    ['POST', '/dev/mail'],
  ] as const) {
    expect((await request(path, { method })).status).toBe(404)
  }
})
