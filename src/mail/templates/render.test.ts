import { describe, expect, it } from 'vitest'
import type { Letter } from '../letter.ts'
import { samples, templateNames } from '../samples.ts'
import { day, lineTotal } from './format.ts'
import { renderLetter } from './render.ts'

const appUrl = 'https://shop.selvedge.test'

const tokenOf = () => 'Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS'

const item = (name: string, quantity: number, unitPrice: string) => ({
  productId: 'p',
  name,
  quantity,
  unitPrice,
})

const orderLetter = (
  change: { name?: string; items?: ReturnType<typeof item>[]; total?: string } = {},
): Letter => ({
  template: 'orderConfirmed',
  name: change.name ?? 'Ada Byron',
  order: {
    id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14',
    userId: 'u',
    status: 'pending',
    total: change.total ?? '159.80',
    items: change.items ?? [item('Linen tablecloth', 2, '79.90')],
    createdAt: '2026-11-20T23:59:59.000Z',
    updatedAt: '2026-11-20T23:59:59.000Z',
  },
})

/** What a person sees of the HTML. */
const visible = (html: string): string =>
  html
    .replace(/<head>.*<\/head>/s, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')

describe.each(templateNames)('the mail %s', (name) => {
  const { subject, html, text } = renderLetter(samples[name], appUrl, tokenOf)

  it('is a whole document without anything to load or run, styled inline', () => {
    expect(html).toMatch(/^<!doctype html><html lang="en">.*<\/html>$/s)
    expect(html).not.toMatch(/<(script|link|style|img|iframe|form)\b|\bon\w+=|url\(/i)
    expect(html).not.toMatch(/undefined|\[object|null|NaN/)
  })

  it('has a subject on one line, a title and a text that begins with it', () => {
    expect(subject).toMatch(/^\S[^\r\n]{10,120}\S$/)
    expect(text.startsWith(`${subject}\n\n`)).toBe(true)
    expect(text).not.toMatch(/<\/?[a-z]+>|&\w+;|undefined|\[object/)
  })

  it('links to the same place in both parts, and nowhere else', () => {
    const links = [...html.matchAll(/href="([^"]+)"/g)].map(([, href]) => href)
    expect(links).toHaveLength(1)
    expect(links[0]).toMatch(
      /^https:\/\/shop\.selvedge\.test\/[a-z/-]+(?:\/[0-9a-f-]{36}|#token=[\w-]{43})?$/,
    )
    expect(text).toContain(links[0])
  })
})

describe('the mail of an order', () => {
  it('lists every item with its amount, and the total, in both parts', () => {
    const items = Array.from({ length: 50 }, (_, n) => item(`Towel number ${n}`, n + 1, '9.99'))
    const { html, text } = renderLetter(orderLetter({ items, total: '12737.25' }), appUrl, tokenOf)
    const seen = visible(html)
    for (const { name, quantity } of items) {
      const sum = lineTotal('9.99', quantity)
      expect(seen).toContain(`${name} ${quantity} × 9.99 ${sum} `)
      expect(text).toContain(`${quantity} × ${name}, 9.99 each: ${sum}\n`)
    }
    expect(seen).toContain('Total 12737.25')
    expect(text).toContain('Total: 12737.25')
  })

  it('says in other words what has happened to it', () => {
    const subjects = (['orderConfirmed', 'orderShipped', 'orderCancelled'] as const).map(
      (template) => renderLetter({ ...orderLetter(), template } as Letter, appUrl, tokenOf).subject,
    )
    expect(subjects).toEqual([
      'Your order of 20 November 2026 is confirmed',
      'Your order of 20 November 2026 is on its way',
      'Your order of 20 November 2026 is cancelled',
    ])
  })

  it('shows names as they are and never as markup', () => {
    const evil = `<img src=x onerror="alert('1')"> & "Søn" 'Ωmega'`
    const { html, text } = renderLetter(
      orderLetter({ name: evil, items: [item(evil, 1, '1.00')] }),
      appUrl,
      tokenOf,
    )
    expect(html).not.toContain('<img')
    expect(
      html.split('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; &quot;Søn&quot;'),
    ).toHaveLength(3)
    expect(text.split(evil)).toHaveLength(3)
  })
})

describe('the mails about an infected file', () => {
  const evil = `https://evil.example/\r\nBcc: all <b>"${'x'.repeat(500)}".pdf`

  it.each(['fileInfected', 'infectedAlert'] as const)(
    'repeat in %s no more of its name than tells it',
    (template) => {
      const sample = samples[template] as Extract<Letter, { template: 'fileInfected' | 'infectedAlert' }>
      const file = { ...sample.file, name: evil, found: `Evil\u202e\n${'y'.repeat(500)}` }
      const { html, text } = renderLetter({ ...sample, file } as Letter, appUrl, tokenOf)
      expect(html).not.toMatch(/<b>|https:\/\/evil|x{60}|y{60}|\u202e/)
      expect(text).not.toMatch(/https:\/\/evil|^Bcc|x{60}|y{60}|\u202e/m)
      expect(text).toMatch(/^File: Bcc_ all _b__x{40,}…x+\.pdf$/m)
      expect(text).toMatch(/^Found: Evil y+…y{20}$/m)
    },
  )
})

it('an alert of a job without an error says so, and no line break reaches a subject', () => {
  const { job } = samples.operatorAlert as Extract<Letter, { template: 'operatorAlert' }>
  const letter: Letter = {
    template: 'operatorAlert',
    job: { ...job, error: null, type: 'mail.send\r\nBcc: all@people.example' },
  }
  const { subject, text } = renderLetter(letter, appUrl, tokenOf)
  expect(subject).toBe('A job was given up: mail.send Bcc: all@people.example')
  expect(text).toContain('Last error: none was recorded')
})

it('the report of one day names the day once', () => {
  const report = { id: 'r', from: '2026-11-19', to: '2026-11-19' }
  const one = renderLetter({ template: 'reportReady', name: 'Ada', report }, appUrl, tokenOf)
  expect(one.subject).toBe('The report of 19 November 2026 is ready')
  const more = renderLetter(
    { template: 'reportReady', name: 'Ada', report: { ...report, from: '2026-10-31' } },
    appUrl,
    tokenOf,
  )
  expect(more.subject).toBe('The report of 31 October 2026 to 19 November 2026 is ready')
})

it.each([
  ['79.90', 2, '159.80'],
  ['0.01', 1, '0.01'],
  ['0', 5, '0.00'],
  ['99999.99', 999, '99899990.01'],
  ['19.9', 3, '59.70'],
])('%s times %i is %s', (price, quantity, sum) => {
  expect(lineTotal(price, quantity)).toBe(sum)
})

it('days are those of UTC', () => {
  expect([day('2026-11-20T23:59:59.999Z'), day('2026-11-21')]).toEqual([
    '20 November 2026',
    '21 November 2026',
  ])
})
