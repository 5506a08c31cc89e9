import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startStack, type Stack } from '../support/stack.ts'

const chromium = findChromium()
if (chromium === undefined && process.env['CI'] === 'true') throw new Error('There is no Chromium')

/** Milliseconds; the machine may be busy. */
const patience = 60_000

/** A page of somebody else, on a port of its own: `host` decides whether the browser calls it the same site. */
const openStranger = async (host: string) => {
  const server = createServer((_, response) =>
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Stranger</title>'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { origin: `http://${host}:${port}`, close: () => server.close() }
}

type Exchange = { hasCookie: boolean; status: number }

/** Does it in the page and tells what went to this URL and came back, also where the page itself is not shown it. */
const watched = async (page: Page, url: string, script: string): Promise<Exchange> => {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  const [ids, cookies, statuses] = [new Set<string>(), new Map<string, boolean>(), new Map<string, number>()]
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (request.url === url && request.method === 'POST') ids.add(requestId)
  })
  session.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers }) => {
    const [, sent = ''] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'cookie') ?? []
    cookies.set(requestId, sent.includes('__Host-selvedge-refresh'))
  })
  session.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
    statuses.set(requestId, statusCode)
  })
  // What it leads to may end before its promise does.
  await page.evaluate(script).catch(() => undefined)
  for (const start = Date.now(); Date.now() - start < patience; await sleep(50)) {
    const id = [...ids].find((one) => statuses.has(one) && cookies.has(one))
    if (id !== undefined) {
      await session.detach()
      return { hasCookie: cookies.get(id) === true, status: statuses.get(id) ?? NaN }
    }
  }
  throw new Error(`Nothing was sent to ${url}`)
}

/** What a form can send without a preflight, as close to our JSON as it gets. */
const postForm = (page: Page, url: string) =>
  watched(
    page,
    url,
    `(() => {
      const form = document.createElement('form')
      Object.assign(form, { method: 'post', enctype: 'text/plain', action: ${JSON.stringify(url)} })
      form.append(Object.assign(document.createElement('input'), { name: '{"transport":"cookie","x":"', value: '"}' }))
      document.body.append(form)
      form.submit()
    })()`,
  )

/** What a script can send without a preflight. */
const postByScript = (page: Page, url: string) =>
  watched(
    page,
    url,
    `fetch(${JSON.stringify(url)}, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"transport":"cookie"}' })`,
  )

/** And what needs one: the browser asks first, and does not send it. */
const postJson = (page: Page, url: string) =>
  page.evaluate(
    `fetch(${JSON.stringify(url)}, { method: 'POST', credentials: 'include',
      headers: { 'Content-Type': 'application/json' }, body: '{"transport":"cookie"}' }).then((reply) => reply.status, () => 'not sent')`,
  )

describe.skipIf(chromium === undefined)('the cookie of a session, in Chromium', () => {
  let stack: Stack
  let browser: Browser
  beforeAll(async () => {
    stack = await startStack({ patience: 240_000, env: { LOG_LEVEL: 'warn' } })
    browser = await openBrowser(chromium ?? '')
  }, 300_000)
  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
  })

  const openTab = async (context: BrowserContext) => {
    const page = await context.newPage()
    page.setDefaultTimeout(patience)
    const refreshes: number[] = []
    page.on('response', (response) => {
      if (response.url().endsWith('/api/auth/refresh')) refreshes.push(response.status())
    })
    return { page, refreshes }
  }

  const isSignedIn = (page: Page) => page.getByRole('button', { name: 'Sign out' }).waitFor()

  /** A browser of its own whose first tab has signed in. */
  const signIn = async () => {
    const context = await browser.newContext()
    const tab = await openTab(context)
    const { email = '', password = '' } = stack.info().logins.find(({ role }) => role === 'user') ?? {}
    await tab.page.goto(`${stack.api}/chat`)
    await tab.page.getByLabel('E-mail address').fill(email)
    await tab.page.getByLabel('Password').fill(password)
    await tab.page.keyboard.press('Enter')
    await isSignedIn(tab.page)
    return { context, tab }
  }

  it('is for this host and path alone, over https, for no script, and for no other site', async () => {
    const { context, tab } = await signIn()
    const cookies = await context.cookies()
    expect(cookies).toMatchObject([
      {
        name: '__Host-selvedge-refresh',
        ...{ domain: '127.0.0.1', path: '/', secure: true, httpOnly: true, sameSite: 'Strict' },
      },
    ])
    const days = ((cookies[0]?.expires ?? 0) - Date.now() / 1_000) / 86_400
    expect(days).toBeGreaterThan(29.9)
    expect(days).toBeLessThan(30.1)
    const [seen, kept] = await tab.page.evaluate<string[]>(
      '[document.cookie, JSON.stringify({ ...localStorage, ...sessionStorage })]',
    )
    expect(seen).toBe('')
    expect(kept).not.toContain(cookies[0]?.value)
    await context.close()
  })

  it('refreshes two tabs that wake at the same moment, again and again, and logs neither out', async () => {
    const { context, tab } = await signIn()
    const tabs = [tab, await openTab(context)]
    await tabs[1]?.page.goto(`${stack.api}/chat`)
    const rounds = 5
    for (let round = 0; round < rounds; round++) {
      await Promise.all(tabs.map(({ page }) => page.reload()))
      await Promise.all(tabs.map(({ page }) => isSignedIn(page)))
    }
    const statuses = tabs.flatMap(({ refreshes }) => refreshes)
    expect(statuses.filter((status) => status !== 200)).toEqual([])
    expect(statuses.length).toBeGreaterThanOrEqual(2 * rounds)
    await context.close()
  })

  it('is of no use to a page of the same host on another port: 403, and the session lives', async () => {
    const { context, tab } = await signIn()
    const stranger = await openStranger('127.0.0.1')
    const { page } = await openTab(context)
    for (const path of ['/api/auth/refresh', '/api/auth/logout', '/api/v1/orders']) {
      await page.goto(stranger.origin)
      // SameSite knows no ports: the cookie is there, and it is we who refuse.
      expect(await postForm(page, `${stack.api}${path}`)).toEqual({ hasCookie: true, status: 403 })
      expect(await page.textContent('body')).toContain('ORIGIN_REFUSED')
      await page.goto(stranger.origin)
      expect(await postByScript(page, `${stack.api}${path}`)).toEqual({ hasCookie: true, status: 403 })
      expect(await postJson(page, `${stack.api}${path}`)).toBe('not sent')
    }
    stranger.close()
    await tab.page.reload()
    await isSignedIn(tab.page)
    expect(tab.refreshes).toEqual([200])
    await context.close()
  })

  it('is not sent for a page of another site, which gets nothing', async () => {
    const { context, tab } = await signIn()
    const stranger = await openStranger('localhost')
    const { page } = await openTab(context)
    const url = `${stack.api}/api/auth/refresh`
    await page.goto(stranger.origin)
    expect(await postForm(page, url)).toEqual({ hasCookie: false, status: 415 })
    await page.goto(stranger.origin)
    expect(await postByScript(page, url)).toEqual({ hasCookie: false, status: 415 })
    expect(await postJson(page, url)).toBe('not sent')
    stranger.close()
    await tab.page.reload()
    await isSignedIn(tab.page)
    expect(tab.refreshes).toEqual([200])
    await context.close()
  })
})
