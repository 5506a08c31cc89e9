import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMailer } from '../../src/mail/mailer.ts'
import { createApi, type Api } from '../support/api.ts'
import { findChromium, openBrowser } from '../support/browser.ts'
import { makeMutant } from '../support/mutant.ts'
import { skipOrFail } from '../support/postgres.ts'
import { projectRoot, startStack, type Stack } from '../support/stack.ts'

const run = promisify(execFile)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A zombie has ended; only its parent has not looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const untilTrue = async (
  condition: () => boolean | Promise<boolean>,
  milliseconds = 30_000,
): Promise<void> => {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not true within ${milliseconds} ms: ${condition.toString()}`)
    await sleep(100)
  }
}

const loginOf = (stack: Stack, role: string) => {
  const login = stack.info().logins.find((one) => one.role === role)
  if (login === undefined) throw new Error(`No login of a ${role} in dev.json`)
  return login
}

/** Logs in as the seeded customer, finds a product in stock and orders it. */
const placeOrder = async (api: Api, stack: Stack) => {
  const token = await api.login(loginOf(stack, 'user'))
  const found = await api.call('GET', '/api/v1/products?inStock=true&q=linen&sort=price')
  const [product] = found.body.data
  const body = { items: [{ productId: product.id, quantity: 2 }] }
  const placed = await api.call('POST', '/api/v1/orders', { token, body })
  return { token, product, placed, order: placed.body.data }
}

describe('npm run dev', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'selvedge-e2e-'))
  const command: [string, ...string[]] = ['npm', 'run', 'dev']
  let stack: Stack
  let api: Api
  const start = async () => {
    stack = await startStack({ command, stateDir })
    api = createApi(stack.api)
  }
  beforeAll(start)
  afterAll(async () => {
    await stack.stop()
    rmSync(stateDir, { recursive: true, force: true })
  })

  it('says where everything is', () => {
    const output = stack.output()
    const { urls, logins } = stack.info()
    for (const text of [urls.api, urls.docs, urls.health, urls.mail, ...logins.map(({ email }) => email)]) {
      expect(output).toContain(text)
    }
  })

  it('has an inbox that takes a mail once a key, and shows it', async () => {
    const inbox = stack.info().urls.mail
    const mailer = createMailer({
      apiKey: 're_dev_local',
      baseUrl: new URL(inbox).origin,
      from: 'mail@example.com',
    })
    const mail = {
      to: 'ada@selvedge.test',
      subject: 'Hello from the stack',
      html: '<p>Hello</p>',
      text: 'Hello',
    }
    const send = async (subject = mail.subject) =>
      await mailer.send({ ...mail, subject, headers: {}, tags: {} }, 'job-1', new AbortController().signal)
    const first = await send()
    expect(first).toMatchObject({ taken: true, providerId: expect.any(String) })
    expect(await send()).toEqual(first)
    expect(await send('Changed')).toEqual({ taken: true, providerId: undefined })
    const page = await (await fetch(inbox)).text()
    expect(page.split('Hello from the stack')).toHaveLength(2)
    expect(page).not.toContain('Changed')
  })

  it('gives the Worker the secret of its webhook', async () => {
    const secrets: Record<string, string> = JSON.parse(readFileSync(join(stateDir, 'secrets.json'), 'utf8'))
    const body = '{"type":"email.opened"}'
    const at = new Date()
    const signature = new Webhook(secrets.RESEND_WEBHOOK_SECRET ?? '').sign('msg_1', at, body)
    const told = await fetch(`${stack.api}/api/webhooks/resend`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'svix-id': 'msg_1', 'svix-signature': signature },
        'svix-timestamp': String(Math.floor(at.getTime() / 1_000)),
      },
      body,
    })
    expect([told.status, await told.json()]).toEqual([200, { data: { outcome: 'ignored' } }])
  })

  it('does the main job: log in, browse, order, cancel', async () => {
    const { token, product, placed, order } = await placeOrder(api, stack)
    expect(placed.status).toBe(201)
    expect(placed.headers.get('location')).toBe(`/api/v1/orders/${order.id}`)
    expect(order.total).toBe((Number(product.price) * 2).toFixed(2))
    const cancelled = await api.call('POST', `/api/v1/orders/${order.id}/cancel`, { token })
    expect(cancelled.body.data.status).toBe('cancelled')
    const after = await api.call('GET', `/api/v1/products/${product.slug}`)
    expect(after.body.data.stock).toBe(product.stock)
  })

  const chromium = findChromium()
  if (chromium === undefined) {
    skipOrFail('the documentation page in a browser', 'no Chromium on PATH and CHROMIUM_PATH is not set')
  } else {
    it('has a documentation page that loads from our own assets without an error and executes an operation', async () => {
      const browser = await openBrowser(chromium)
      try {
        const page = await browser.newPage()
        const problems: string[] = []
        const foreign: string[] = []
        page.on('console', (message) => {
          if (['error', 'warning'].includes(message.type())) problems.push(message.text())
        })
        page.on('pageerror', (error) => problems.push(error.message))
        page.on('request', (request) => {
          if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(stack.api))
            foreign.push(request.url())
        })
        await page.goto(`${stack.api}/api/docs`)
        const operation = page.locator('#operations-products-listProducts')
        await operation.locator('.opblock-summary-control').click()
        await operation.getByRole('button', { name: 'Try it out' }).click()
        await operation.getByRole('button', { name: 'Execute' }).click()
        const reply = operation.locator('.live-responses-table')
        await reply.waitFor()
        expect(await reply.innerText()).toMatch(/200[\s\S]*"pagination"/)
        expect(foreign).toEqual([])
        expect(problems).toEqual([])
      } finally {
        await browser.close()
      }
    })
  }

  it('refuses a second stack on the same folder with one clear sentence', async () => {
    const second = run('npm', ['run', '--silent', 'dev'], {
      cwd: projectRoot,
      env: { ...process.env, STATE_DIR: stateDir, PORT: '0' },
    })
    await expect(second).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^Another .*\n$/) })
  })

  it('refuses a port that is in use with one clear sentence', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'selvedge-e2e-'))
    const second = run('npm', ['run', '--silent', 'dev'], {
      cwd: projectRoot,
      env: { ...process.env, STATE_DIR: folder, PORT: new URL(stack.api).port },
    })
    await expect(second).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^[^\n]*in use[^\n]*\n$/),
    })
    rmSync(folder, { recursive: true })
  })

  it('fires a cron by hand', async () => {
    const { stdout } = await run('npm', ['run', '--silent', 'trigger', '--', 'cron', '17 * * * *'], {
      cwd: projectRoot,
      env: { ...process.env, STATE_DIR: stateDir },
    })
    expect(stdout).toContain('17 * * * *')
    await untilTrue(() => stack.output().includes('expired rows purged'))
  })

  it('runs a job by hand', async () => {
    const { stdout } = await run(
      'npm',
      ['run', '--silent', 'trigger', '--', 'job', 'report.daily', '2026-11-19'],
      {
        cwd: projectRoot,
        env: { ...process.env, STATE_DIR: stateDir },
      },
    )
    expect(stdout).toMatch(/^report\.daily 2026-11-19: job [\w-]{36} is done\n$/)
    const token = await api.login(loginOf(stack, 'admin'))
    const found = await api.call('GET', '/api/v1/reports', { token })
    expect(found.body.data.map(({ from }: { from: string }) => from)).toContain('2026-11-19')
  })

  it('comes back with its data when the runtime is killed', async () => {
    const { token, order } = await placeOrder(api, stack)
    const { pid, runtimePids } = stack.info()
    for (const runtimePid of runtimePids.filter((one) => one !== pid)) process.kill(runtimePid, 'SIGKILL')
    await untilTrue(() => stack.info().runtimePids.every((one) => one === pid || !runtimePids.includes(one)))
    const found = await api.call('GET', `/api/v1/orders/${order.id}`, { token })
    expect(found.status).toBe(200)
    expect(found.body.data).toMatchObject(order)
  })

  it('answers every request under way at SIGTERM, leaves nothing running, and starts again with its data', async () => {
    const { order } = await placeOrder(api, stack)
    const { pid, runtimePids } = stack.info()
    // A login costs a tenth of a second of CPU, so these queue up behind each other.
    const started = Array.from({ length: 10 }, () => api.login(loginOf(stack, 'user')))
    await sleep(500)
    stack.signal('SIGTERM')
    const settled = await Promise.allSettled(started)
    expect(settled.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(await stack.exited()).toBe(0)
    expect([pid, ...runtimePids].filter(isAlive)).toEqual([])

    await start()
    const token = await api.login(loginOf(stack, 'user'))
    const found = await api.call('GET', `/api/v1/orders/${order.id}`, { token })
    expect(found.body.data).toMatchObject(order)
  })

  it('ends what a killed start left behind at the next start', async () => {
    const { runtimePids } = stack.info()
    stack.signal('SIGKILL')
    await untilTrue(() => !isAlive(stack.info().pid))
    rmSync(join(stateDir, 'dev.json'))
    await start()
    expect(runtimePids.filter(isAlive)).toEqual([])
    expect((await api.call('GET', '/ready')).status).toBe(200)
  })
})

describe('hot reload', () => {
  it('serves a changed Worker without a restart of the stack', async () => {
    const copy = makeMutant([])
    const stack = await startStack({ cwd: copy.folder })
    try {
      const path = join(copy.folder, 'src/home/routes.ts')
      writeFileSync(path, readFileSync(path, 'utf8').replace("name: 'selvedge'", "name: 'changed'"))
      const { call } = createApi(stack.api)
      await untilTrue(async () => (await call('GET', '/')).body.name === 'changed')
    } finally {
      await stack.stop()
      copy.remove()
    }
  })
})
