import { createServer } from 'node:http'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi } from '../support/api.ts'
import { findChromium, openBrowser } from '../support/browser.ts'
import { projectRoot, startStack, type Stack } from '../support/stack.ts'
import type { uppyPage as UppyPage } from '../support/uppy-page.ts'

const chromium = findChromium()
if (chromium === undefined && process.env['CI'] === 'true') throw new Error('There is no Chromium')

const size = 20_000_000

const bundled = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(projectRoot, 'test/support/uppy-page.ts')],
    ...{ bundle: true, write: false, format: 'iife', platform: 'browser' },
  })
  return outputFiles[0]?.text ?? ''
}

/** A shop of another origin than the API; on this machine too, as browsers demand of who calls a loopback address. */
const openShop = async (script: string) => {
  const body = `<!doctype html><title>Shop</title><script>${script.replaceAll('</', '<\\/')}</script>`
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() }
}

describe.skipIf(chromium === undefined)("Uppy's plugin for S3 in Chromium, unchanged", () => {
  let stack: Stack
  let browser: Browser
  let shop: Awaited<ReturnType<typeof openShop>>
  beforeAll(async () => {
    shop = await openShop(await bundled())
    stack = await startStack({ patience: 240_000, env: { CORS_ORIGINS: shop.origin } })
    browser = await openBrowser(chromium ?? '')
  }, 300_000)
  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
    shop?.close()
  })

  const login = async () => {
    const api = createApi(stack.api)
    const { email = '', password = '' } = stack.info().logins.find(({ role }) => role === 'user') ?? {}
    return { api, token: await api.login({ email, password }) }
  }

  /** A page of the shop with Uppy on it, and whatever it sends. */
  const openPage = async () => {
    const page = await browser.newPage()
    const sent: string[] = []
    page.on('request', (request) => {
      const { pathname } = new URL(request.url())
      if (request.method() !== 'OPTIONS') sent.push(`${request.method()} ${pathname}`)
    })
    await page.goto(shop.origin)
    return { page, sent }
  }

  const run = async (token: string, begin?: string) => {
    const { page, sent } = await openPage()
    const given = [`${stack.api}/api/v1/uploads`, token, size, begin] as const
    const outcome = await page.evaluate(async (all) => {
      const { uppyPage } = globalThis as unknown as { uppyPage: typeof UppyPage }
      return await uppyPage.run(...all)
    }, given)
    await page.close()
    return { outcome, sent }
  }

  it('brings 20 MB in parts straight to the store', async () => {
    const { api, token } = await login()
    const { outcome, sent } = await run(token)
    expect(outcome).toMatchObject({ failed: [], parts: 4 })
    const [made] = outcome.uploads
    expect(made?.location).toBe(`${stack.api}/api/v1/uploads/${String(made?.id)}`)
    const { status, body } = await api.call('GET', `/api/v1/uploads/${String(made?.id)}`, { token })
    expect(status).toBe(200)
    expect(body.data).toMatchObject({
      name: 'catalogue.pdf',
      type: 'application/pdf',
      size,
      sha256: outcome.sha256,
    })
    expect(body.data.history[1].status).toBe('scanning')
    // No byte of the file went through the Worker.
    expect(sent.filter((line) => line.startsWith('PUT '))).toEqual(
      Array.from(
        { length: 4 },
        () => `PUT /cdn-cgi/local/r2/s3/selvedge-files/quarantine/${String(made?.id)}`,
      ),
    )
  })

  it('is told in words why a file is refused, and aborts what it began', async () => {
    const { token } = await login()
    const { outcome } = await run(token, '<html>')
    expect(outcome.uploads).toEqual([])
    expect(outcome.failed).toEqual([expect.stringContaining('The bytes are not what their type says')])
  })
})
