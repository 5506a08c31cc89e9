import { randomInt } from 'node:crypto'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ApiError } from '../../src/client/api-error.ts'
import { createChat } from '../../src/client/chat.ts'
import { createClient } from '../../src/client/rest.ts'
import type { RoomMessage } from '../../src/client/room-types.ts'
import { findChromium, openBrowser } from '../support/browser.ts'
import { contrastProblems } from '../support/contrast.ts'
import { faultySocket } from '../support/faulty-socket.ts'
import { generousLimits } from '../support/generous-limits.ts'
import { judgeHistory } from '../support/shown-history.ts'
import { projectRoot, startStack, type Stack } from '../support/stack.ts'
import { startTcpGate } from '../support/tcp-gate.ts'

const isFull = process.env.SELVEDGE_PROOF === 'full'
const executablePath = findChromium()
const limits = JSON.stringify({
  ...JSON.parse(generousLimits),
  'chat.send': { points: 100_000, duration: 1 },
})

/** Milliseconds; the machine may be busy. */
const patience = 60_000

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ env: { LIMITS: limits, LOG_LEVEL: 'warn' }, patience: 240_000 })
}, 300_000)

afterAll(() => stack?.stop())

const loginOf = (role: string) => stack.info().logins.find((one) => one.role === role)!

const portOf = (url: string) => Number(new URL(url).port)

const signIn = async (role: string, url = stack.api) => {
  const client = createClient({ url })
  const { email, password } = loginOf(role)
  await client.session.login({ email, password })
  return client
}

/** A conversation with support, with the shop's administrator in it. */
const openConversation = async () => {
  const [customer, admin] = [await signIn('user'), await signIn('admin')]
  const { data } = await customer.post('/api/v1/conversations', { body: { subject: { type: 'support' } } })
  await admin.post('/api/v1/conversations/{id}/members', {
    params: { path: { id: data.id } },
    body: { userId: admin.session.user!.id },
  })
  return { id: data.id, customer, admin }
}

const until = async (what: () => string, is: () => boolean, ms = patience) => {
  for (const start = Date.now(); !is(); await sleep(50)) {
    if (Date.now() - start > ms) throw new Error(`Not within ${ms} ms: ${what()}`)
  }
}

/** Every message of the conversation, oldest first, as REST tells them. */
const logOf = async (client: ReturnType<typeof createClient>, id: string) => {
  const all: { seq: number; id: string; content: string }[] = []
  for (let before: number | null | undefined; before !== null;) {
    const query = { limit: 100, ...(before === undefined ? {} : { before }) }
    const { data, page } = await client.get('/api/v1/conversations/{id}/messages', {
      params: { path: { id }, query },
    })
    all.unshift(...data)
    before = page.nextCursor
  }
  return all
}

describe('the client library', () => {
  it('shows each message once and in order, through cuts, lost acknowledgements and repetitions', async () => {
    const { id, customer, admin } = await openConversation()
    const first = (await logOf(customer, id)).at(-1)?.seq ?? 0
    const seconds = isFull ? 120 : 12
    const faults = { lost: 0, doubled: 0, cuts: 0 }
    const chance = (kind: 'lost' | 'doubled', percent: number) => () => {
      const happens = randomInt(100) < percent
      if (happens) faults[kind] += 1
      return happens
    }
    const stop = new AbortController()
    const members = await Promise.all(
      [customer, admin, customer, admin].map(async (client, n) => {
        const gate = await startTcpGate(portOf(stack.api))
        const chat = createChat({
          url: `http://127.0.0.1:${gate.port}`,
          getTicket: client.getTicket,
          WebSocket: faultySocket({ losesAck: chance('lost', 30), doublesSend: chance('doubled', 30) }),
        })
        const room = chat.join(id)
        const shown: RoomMessage[] = []
        room.on('message', (message) => {
          if (message.seq > first) shown.push({ ...message, state: 'received' })
        })
        const acknowledged: string[] = []
        const write = async () => {
          const sent: Promise<void>[] = []
          for (let m = 0; !stop.signal.aborted; m += 1) {
            const content = `${n}-${m}`
            sent.push(room.send(content).then(() => void acknowledged.push(content)))
            await sleep(randomInt(20, 200))
          }
          await Promise.all(sent)
        }
        const cut = async () => {
          while (!stop.signal.aborted) {
            await sleep(randomInt(1_000, 5_000), undefined, { signal: stop.signal }).catch(() => undefined)
            gate.shut()
            faults.cuts += 1
            await sleep(randomInt(10, 500))
            gate.open()
          }
        }
        return { room, chat, gate, shown, acknowledged, work: [write(), cut()] }
      }),
    )
    await sleep(seconds * 1_000)
    stop.abort()
    await Promise.all(members.flatMap(({ work }) => work))
    const log = (await logOf(customer, id)).filter(({ seq }) => seq > first)
    const last = log.at(-1)?.seq ?? 0
    await until(
      () => 'everyone is up to date',
      () => members.every(({ shown }) => (shown.at(-1)?.seq ?? 0) >= last),
    )
    const acknowledged = members.map((one) => one.acknowledged)
    for (const { shown, room, chat, gate } of members) {
      const events = shown.map(({ seq, id: of, content }) => ({ seq: seq!, id: of!, content }))
      expect(judgeHistory(events, log, acknowledged)).toEqual([])
      const view = room.view.messages.flatMap(({ seq, id: of, content }) =>
        seq !== null && of !== null && seq > first ? [{ seq, id: of, content }] : [],
      )
      expect(judgeHistory(view, log, acknowledged)).toEqual([])
      expect(room.view.messages.filter(({ state }) => state === 'sending')).toEqual([])
      chat.close()
      await gate.stop()
    }
    const sent = acknowledged.flat().length
    console.log(`chat client: ${sent} messages over ${seconds} s, ${JSON.stringify(faults)}`)
    expect(log).toHaveLength(sent)
    for (const count of Object.values(faults)) expect(count).toBeGreaterThan(0)
  })
})

describe('npm run chat', () => {
  const children: ChildProcess[] = []
  // One that a test has not ended would stay in its conversation.
  afterEach(() => children.splice(0).forEach((child) => child.kill()))

  const start = () => {
    const { email, password } = loginOf('user')
    const child = spawn(
      process.execPath,
      ['dev/chat.ts', '--url', stack.api, '--email', email, '--password', password],
      { cwd: projectRoot, stdio: ['pipe', 'pipe', 'pipe'] },
    )
    children.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    return { input: child.stdin, exited: once(child, 'exit'), output: () => output }
  }

  it('signs in, lists, joins, sends what is piped into it, and ends when that does', async () => {
    const { id, customer } = await openConversation()
    const { input, exited, output } = start()
    input.end(`/nothing\n/join ${id}\nfrom a terminal\nand once more\n/quit\n`)
    const [code] = await exited
    expect(output()).toContain('Signed in at')
    expect(output()).toContain('No such command')
    expect(code).toBe(0)
    const log = (await logOf(customer, id)).map(({ content }) => content)
    expect(log.slice(-2)).toEqual(['from a terminal', 'and once more'])
  })

  it('names who joins later, and says how a closed conversation is opened again', async () => {
    const { id, customer, admin } = await openConversation()
    const params = { path: { id } }
    const { id: userId, name } = admin.session.user!
    await admin.post('/api/v1/conversations/{id}/leave', { params })
    const { input, exited, output } = start()
    const told = (text: string) =>
      until(
        () => `${text} in\n${output()}`,
        () => output().includes(text),
      )
    input.write(`/join ${id}\n`)
    await told('(online)')
    await admin.post('/api/v1/conversations/{id}/members', { params, body: { userId } })
    await told(`(${name} joined)`)
    const content = `from the shop ${Date.now()}`
    await admin.post('/api/v1/conversations/{id}/messages', { params, body: { content } })
    await told(`${name}  ${content}`)
    await customer.post('/api/v1/conversations/{id}/close', { params })
    await told('/reopen opens it again')
    input.write('/reopen\n')
    await told('opened again')
    input.end('/quit\n')
    expect(await exited).toEqual([0, null])
  })
})

describe.skipIf(executablePath === undefined && !process.env.CI)('the page at /chat', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser(executablePath!)
  })
  afterAll(() => browser?.close())
  // A page that is left open goes on reading what comes.
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))

  const problems: string[] = []

  const openPage = async (base: string, width: number, colorScheme: 'light' | 'dark' = 'light') => {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme })
    const page = await context.newPage()
    page.setDefaultTimeout(patience)
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      // A policy that refuses something, or an error of ours. What a cut does to a request is no news, nor is a file that
      // is refused.
      if (message.type() === 'error' && !/net::ERR|WebSocket connection|status of 415/.test(message.text()))
        problems.push(`${message.text()} ${message.location().url}`)
    })
    await page.goto(`${base}/chat`)
    await page.getByLabel('E-mail address').waitFor()
    return page
  }

  /** By keyboard alone: the field for the address has the focus already. */
  const signInBy = async (page: Page, role: string) => {
    const { email, password } = loginOf(role)
    await page.keyboard.type(email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
  }

  const messages = (page: Page) => page.getByRole('log', { name: 'Messages' }).locator('.bubble')
  const message = (page: Page, text: string) => messages(page).filter({ hasText: text })
  const field = (page: Page) => page.getByRole('textbox', { name: 'Message' })
  const menuOf = (page: Page, text: string) =>
    page
      .locator('li.message')
      .filter({ hasText: text })
      .getByRole('button', { name: 'Change or remove this message' })

  it('carries a conversation between two browsers, ticks, typing and a cut of the network included', async () => {
    const { id } = await openConversation()
    const gate = await startTcpGate(portOf(stack.api))
    try {
      const phone = await openPage(`http://127.0.0.1:${gate.port}`, 390)
      const desk = await openPage(stack.api, 1200, 'dark')
      await signInBy(phone, 'user')
      await signInBy(desk, 'admin')
      for (const page of [phone, desk]) {
        await page.locator(`a[href="#${id}"]`).click()
        await field(page).waitFor()
      }
      // Phone width shows one thing at a time.
      expect(await phone.getByRole('navigation', { name: 'Conversations' }).isVisible()).toBe(false)
      expect(await desk.getByRole('navigation', { name: 'Conversations' }).isVisible()).toBe(true)

      const stamp = Date.now().toString(36)
      await field(phone).fill(`${stamp} one`)
      await phone.getByRole('button', { name: 'Send' }).click()
      await message(desk, `${stamp} one`).waitFor()
      // The desk has the focus of its window: what it shows is read.
      await message(phone, `${stamp} one`).getByText('Read', { exact: true }).waitFor({ state: 'attached' })

      await field(desk).pressSequentially(`${stamp} two`)
      await phone.getByText('is typing…').waitFor()
      await desk.keyboard.press('Enter')
      await message(phone, `${stamp} two`).waitFor()

      gate.shut()
      await phone.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor()
      for (const text of ['three', 'four']) {
        await field(phone).fill(`${stamp} ${text}`)
        await phone.getByRole('button', { name: 'Send' }).click()
      }
      await message(phone, `${stamp} four`).getByText('Sending').waitFor({ state: 'attached' })
      await field(desk).fill(`${stamp} meanwhile`)
      await desk.keyboard.press('Enter')
      gate.open()
      await message(desk, `${stamp} four`).waitFor()
      await message(phone, `${stamp} meanwhile`).waitFor()
      await phone.getByText('Reconnecting').waitFor({ state: 'detached' })
      const texts = async (page: Page) =>
        (await messages(page).locator('.content').allTextContents()).filter((text) => text.startsWith(stamp))
      await message(phone, `${stamp} four`).getByText('Read', { exact: true }).waitFor({ state: 'attached' })
      expect(await texts(phone)).toEqual(await texts(desk))
      expect((await texts(desk)).toSorted()).toEqual(
        ['one', 'two', 'three', 'four', 'meanwhile'].map((text) => `${stamp} ${text}`).toSorted(),
      )

      // What was written or changed goes out although its writer has left the conversation before it could, and what
      // was only begun is still there.
      const leave = async () => {
        await phone.getByRole('button', { name: 'Back to the conversations' }).click()
        await field(phone).waitFor({ state: 'detached' })
      }
      gate.shut()
      await phone.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor()
      await field(phone).fill(`${stamp} five`)
      await phone.getByRole('button', { name: 'Send' }).click()
      await message(phone, `${stamp} five`).getByText('Sending').waitFor({ state: 'attached' })
      await field(phone).fill(`${stamp} begun`)
      await leave()
      gate.open()
      await message(desk, `${stamp} five`).waitFor()
      await phone.locator(`a[href="#${id}"]`).click()
      await message(phone, `${stamp} five`).waitFor()
      expect(await field(phone).inputValue()).toBe(`${stamp} begun`)
      await phone.getByText('Reconnecting').waitFor({ state: 'detached' })

      gate.shut()
      await phone.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor()
      await menuOf(phone, `${stamp} five`).press('Enter')
      await phone.getByRole('button', { name: 'Edit' }).press('Enter')
      await field(phone).fill(`${stamp} six`)
      await phone.keyboard.press('Enter')
      await leave()
      gate.open()
      await message(desk, `${stamp} six`).waitFor()
      await phone.locator(`a[href="#${id}"]`).click()
      await message(phone, `${stamp} six`).waitFor()
      await phone.getByText('Reconnecting').waitFor({ state: 'detached' })

      for (const page of [phone, desk]) expect(await contrastProblems(page)).toEqual([])

      // A reload keeps the session: by the cookie, which no script sees.
      expect(await phone.evaluate('document.cookie')).toBe('')
      await phone.reload()
      await message(phone, `${stamp} four`).waitFor()
      await phone.getByRole('button', { name: 'Back to the conversations' }).click()
      await phone.locator(`a[href="#${id}"]:focus`).waitFor()
      await phone.locator(`a[href="#${id}"]`).click()
      await field(phone).fill('not for the next')
      await leave()
      await phone.getByRole('button', { name: 'Sign out' }).click()
      await phone.getByLabel('Password').waitFor()
      await signInBy(phone, 'user')
      await phone.locator(`a[href="#${id}"]`).click()
      expect(await field(phone).inputValue()).toBe('')
      await leave()
      await phone.getByRole('button', { name: 'Sign out' }).click()
      await phone.getByLabel('Password').waitFor()
      await phone.reload()
      await phone.getByLabel('Password').waitFor()
      expect(problems).toEqual([])
    } finally {
      await gate.stop()
    }
  })

  const photo = join(projectRoot, 'node_modules/swagger-ui-dist/favicon-32x32.png')
  const note = { name: 'note.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7\n%%EOF\n') }
  const fake = { name: 'fake.png', mimeType: 'image/png', buffer: Buffer.from('no picture') }

  it('sends pictures and PDFs, which the other sees with their own right, and nobody without', async () => {
    const { id, customer } = await openConversation()
    const [phone, desk] = [await openPage(stack.api, 390), await openPage(stack.api, 1200)]
    await signInBy(phone, 'user')
    await signInBy(desk, 'admin')
    for (const page of [phone, desk]) await page.locator(`a[href="#${id}"]`).click()

    const files = phone.getByLabel('Files to attach')
    await files.setInputFiles([photo])
    await files.setInputFiles([note, fake])
    const tray = phone.getByRole('list', { name: 'Files of your message' }).getByRole('listitem')
    await tray.filter({ hasText: 'fake.png' }).getByText('is no image or PDF').waitFor()
    await phone.getByRole('status').filter({ hasText: 'note.pdf is ready.' }).waitFor({ state: 'attached' })
    await phone
      .getByRole('status')
      .filter({ hasText: 'favicon-32x32.png is ready.' })
      .waitFor({ state: 'attached' })
    // What cannot be sent holds back the rest until it is taken out.
    const send = phone.getByRole('button', { name: 'Send' })
    expect(await send.getAttribute('aria-disabled')).toBe('true')
    await phone.getByRole('button', { name: 'Remove fake.png' }).click()
    expect(await tray.count()).toBe(2)

    const text = `with files ${Date.now()}`
    await field(phone).fill(text)
    await send.click()
    for (const page of [phone, desk]) {
      const bubble = message(page, text)
      const image = bubble.getByRole('img', { name: 'favicon-32x32.png' })
      await image.waitFor()
      // A picture that has been decoded, from memory: an element cannot send a token.
      await page.waitForFunction((one) => (one as unknown as { naturalWidth: number }).naturalWidth > 0, await image.elementHandle()) // prettier-ignore
      expect(await image.getAttribute('src')).toMatch(/^blob:/)
      // Never larger than it is.
      expect(await image.boundingBox()).toMatchObject({ width: 32, height: 32 })
      await bubble.getByRole('link', { name: 'note.pdf' }).waitFor()
    }
    await tray.first().waitFor({ state: 'detached' })

    const download = desk.waitForEvent('download')
    await message(desk, text).getByRole('link', { name: 'note.pdf' }).click()
    expect((await download).suggestedFilename()).toBe('note.pdf')

    // As large as the window, by keyboard, and back to where one was.
    await message(desk, text).getByRole('button', { name: 'Open favicon-32x32.png' }).press('Enter')
    await desk.getByRole('dialog', { name: 'favicon-32x32.png' }).getByRole('img').waitFor()
    expect(await contrastProblems(desk)).toEqual([])
    await desk.keyboard.press('Escape')
    await desk.getByRole('button', { name: 'Open favicon-32x32.png' }).and(desk.locator(':focus')).waitFor()

    // What it rests on: the file is the conversation's, and nobody else's.
    const { data } = await customer.get('/api/v1/conversations/{id}/messages', { params: { path: { id } } })
    const attachments = data.at(-1)?.attachments ?? []
    expect(attachments.map(({ name, type }) => [name, type])).toEqual([
      ['favicon-32x32.png', 'image/png'],
      ['note.pdf', 'application/pdf'],
    ])
    const [{ id: upload, variants } = { id: '', variants: [] }] = attachments
    expect((await fetch(`${stack.api}${variants[0]?.url}`)).status).toBe(404)
    const kept = await customer
      .delete('/api/v1/uploads/{id}', { params: { path: { id: upload } } })
      .catch((error: ApiError) => error.code)
    expect(kept).toBe('FILE_IN_USE')
    expect(await contrastProblems(phone)).toEqual([])

    // Files take their time to come in: the message waits for them, and its writer need not.
    await files.setInputFiles([note])
    await phone.getByRole('status').filter({ hasText: 'note.pdf is ready.' }).waitFor({ state: 'attached' })
    await phone.route(/\/conversations\/[^/]+\/files$/, async (route) => {
      await sleep(1_500)
      await route.continue()
    })
    await field(phone).fill(`${text}, later`)
    await send.click()
    await phone.getByRole('button', { name: 'Back to the conversations' }).click()
    await field(phone).waitFor({ state: 'detached' })
    await message(desk, `${text}, later`).getByRole('link', { name: 'note.pdf' }).waitFor()
    expect(problems).toEqual([])
  })

  it('changes and removes own messages, by keyboard, and lets their files go', async () => {
    const { id, customer } = await openConversation()
    const [phone, desk] = [await openPage(stack.api, 390), await openPage(stack.api, 1200, 'dark')]
    await signInBy(phone, 'admin')
    await signInBy(desk, 'user')
    for (const page of [phone, desk]) await page.locator(`a[href="#${id}"]`).click()
    const stamp = Date.now().toString(36)
    await field(desk).fill(`${stamp} mistake`)
    await desk.keyboard.press('Enter')
    await message(phone, `${stamp} mistake`).waitFor()
    // Others' messages are not one's own to change.
    await menuOf(desk, `${stamp} mistake`).waitFor()
    expect(await menuOf(phone, `${stamp} mistake`).count()).toBe(0)

    // The last one, as in other chats; Escape leaves it, and what was begun stays.
    await desk.keyboard.press('ArrowUp')
    await desk.getByText('Change your message').waitFor()
    await desk.keyboard.press('Escape')
    await field(desk).fill('')
    await menuOf(desk, `${stamp} mistake`).focus()
    await desk.keyboard.press('Enter')
    await desk.getByRole('button', { name: 'Edit' }).and(desk.locator(':focus')).waitFor()
    await desk.keyboard.press('Enter')
    await desk.locator('textarea:focus').waitFor()
    expect(await field(desk).inputValue()).toBe(`${stamp} mistake`)
    await field(desk).fill(`${stamp} corrected`)
    await desk.keyboard.press('Enter')
    for (const page of [phone, desk]) {
      await message(page, `${stamp} corrected`).getByText('Edited').waitFor()
      expect(await message(page, `${stamp} mistake`).count()).toBe(0)
    }
    expect(await contrastProblems(desk)).toEqual([])

    await desk.getByLabel('Files to attach').setInputFiles([photo])
    await desk.getByRole('status').filter({ hasText: 'is ready.' }).waitFor({ state: 'attached' })
    await field(desk).fill(`${stamp} with a picture`)
    await desk.keyboard.press('Enter')
    await message(phone, `${stamp} with a picture`).getByRole('img').waitFor()
    const { data } = await customer.get('/api/v1/conversations/{id}/messages', { params: { path: { id } } })
    const upload = data.at(-1)?.attachments?.[0]?.id ?? ''

    await menuOf(desk, `${stamp} with a picture`).press('Enter')
    await desk.getByRole('button', { name: 'Remove', exact: true }).press('Enter')
    await desk.getByText('Remove it for everyone?').waitFor()
    await desk.keyboard.press('Escape')
    await menuOf(desk, `${stamp} with a picture`).and(desk.locator(':focus')).waitFor()
    await desk.keyboard.press('Enter')
    await desk.getByRole('button', { name: 'Remove', exact: true }).press('Enter')
    await desk.getByRole('button', { name: 'Remove it' }).press('Enter')
    for (const page of [phone, desk]) {
      await message(page, `${stamp} with a picture`).waitFor({ state: 'detached' })
      await messages(page).last().getByText('This message was removed').waitFor()
    }
    // Within a second or so the file is its owner's alone again.
    let isGone = false
    const remove = async () => {
      await customer.delete('/api/v1/uploads/{id}', { params: { path: { id: upload } } })
      isGone = true
    }
    for (const end = Date.now() + patience; !isGone && Date.now() < end; await sleep(200)) {
      await remove().catch((error: ApiError) => expect(error.code).toBe('FILE_IN_USE'))
    }
    expect(isGone).toBe(true)
    expect(problems).toEqual([])
  })

  it('marks where unread messages began, and nothing that comes while one is looking', async () => {
    const { id, customer, admin } = await openConversation()
    const params = { path: { id } }
    const say = (content: string) =>
      admin.post('/api/v1/conversations/{id}/messages', { params, body: { content } })
    const stamp = Date.now().toString(36)
    await say(`${stamp} known`)
    await customer.put('/api/v1/conversations/{id}/read', { params, body: { seq: 1_000_000 } })
    const page = await openPage(stack.api, 390)
    await signInBy(page, 'user')
    const row = page.locator(`a[href="#${id}"]`)
    const divider = page.getByRole('log', { name: 'Messages' }).getByText('New', { exact: true })
    const standsAbove = async (text: string) => {
      await divider.waitFor()
      expect(await page.locator('li.new + li .content').textContent()).toBe(text)
    }
    // Where a page of several in one browser would lose its focus, or come back.
    const turn = (isBack: boolean) =>
      page.evaluate(
        `document.hasFocus = () => ${isBack}; dispatchEvent(new Event('${isBack ? 'focus' : 'blur'}'))`,
      )
    const isRead = async (text: string) => {
      for (const end = Date.now() + patience; Date.now() < end; await sleep(100)) {
        const { data } = await customer.get('/api/v1/conversations/{id}', { params })
        if (data.unread === 0 && data.lastMessage?.content === text) return
      }
      throw new Error(`Not read: ${text}`)
    }

    await row.click()
    await message(page, `${stamp} known`).waitFor()
    await say(`${stamp} seen`)
    await message(page, `${stamp} seen`).waitFor()
    await isRead(`${stamp} seen`)
    expect(await divider.count()).toBe(0)

    await turn(false)
    await say(`${stamp} missed`)
    await say(`${stamp} missed, too`)
    await message(page, `${stamp} missed, too`).waitFor()
    await turn(true)
    await isRead(`${stamp} missed, too`)
    await say(`${stamp} seen as well`)
    await message(page, `${stamp} seen as well`).waitFor()
    await standsAbove(`${stamp} missed`)
    expect(await contrastProblems(page)).toEqual([])

    await field(page).fill(`${stamp} answer`)
    await page.getByRole('button', { name: 'Send' }).click()
    await divider.waitFor({ state: 'detached' })
    await isRead(`${stamp} answer`)

    await page.getByRole('button', { name: 'Back to the conversations' }).click()
    await say(`${stamp} unopened`)
    await row.getByText(`${stamp} unopened`).waitFor()
    await row.click()
    await standsAbove(`${stamp} unopened`)
    expect(problems).toEqual([])
  })

  it('hears of what is new in conversations that are not open', async () => {
    const { id, customer, admin } = await openConversation()
    const page = await openPage(stack.api, 1200)
    await signInBy(page, 'user')
    const row = page.locator(`a[href="#${id}"]`)
    await row.waitFor()
    const params = { path: { id } }
    const say = (content: string) =>
      admin.post('/api/v1/conversations/{id}/messages', { params, body: { content } })
    const read = () => customer.put('/api/v1/conversations/{id}/read', { params, body: { seq: 1_000_000 } })
    await read()
    await row.getByText('unread').waitFor({ state: 'detached' })

    // By the event alone: the list cannot be looked at.
    const list = /\/api\/v1\/conversations\?/
    await page.route(list, (route) => route.abort())
    await say('unheard')
    await row.getByText('1 unread').waitFor()
    await read()
    await row.getByText('unread').waitFor({ state: 'detached' })
    await page.unroute(list)

    const text = `heard ${Date.now()}`
    await say(text)
    await row.getByText(text).waitFor()
    expect(problems).toEqual([])
  })

  it('names what it is about, and is closed, opened again and left, by keyboard', async () => {
    const [customer, admin] = [await signIn('user'), await signIn('admin')]
    const [product] = (await customer.get('/api/v1/products', { params: { query: { limit: 1 } } })).data
    const subject = { type: 'product' as const, id: product!.id }
    const { data } = await customer.post('/api/v1/conversations', { body: { subject } })
    const params = { path: { id: data.id } }
    const join = { params, body: { userId: admin.session.user!.id } }
    await admin.post('/api/v1/conversations/{id}/members', join)
    const [phone, desk] = [await openPage(stack.api, 390), await openPage(stack.api, 1200, 'dark')]
    await signInBy(phone, 'admin')
    await signInBy(desk, 'user')
    const rowOf = (page: Page) => page.locator(`a[href="#${data.id}"]`)
    for (const page of [phone, desk]) {
      await rowOf(page).getByText(product!.name).waitFor()
      await rowOf(page).click()
      await field(page).waitFor()
    }
    const head = (page: Page) => page.getByRole('main').locator('header')
    await head(desk).getByRole('heading', { name: product!.name }).waitFor()
    await head(phone).getByRole('heading', { name: data.customer.name }).waitFor()
    await head(phone).getByText(product!.name).waitFor()

    /** With the focus where each step begins. */
    const choose = async (page: Page, what: string, answer: string) => {
      await head(page).getByRole('button', { name: 'Conversation options' }).press('Enter')
      await page.locator('.pane-card button:focus').waitFor()
      await page.getByRole('button', { name: what, exact: true }).press('Enter')
      await page.getByRole('button', { name: answer, exact: true }).and(page.locator(':focus')).waitFor()
    }
    await choose(desk, 'Close the conversation', 'Close it')
    expect(await contrastProblems(desk)).toEqual([])
    await desk.keyboard.press('Escape')
    const menu = desk.getByRole('button', { name: 'Conversation options' })
    await menu.and(desk.locator(':focus')).waitFor()
    await choose(desk, 'Close the conversation', 'Close it')
    await desk.keyboard.press('Enter')
    for (const page of [phone, desk]) await page.getByText('This conversation is closed.').waitFor()
    await menu.and(desk.locator(':focus')).waitFor()
    // The shop would open a conversation of its own about this.
    await phone.getByText(`Only ${data.customer.name} can open it again.`).waitFor()
    await desk.getByRole('button', { name: 'Open it again' }).click()
    for (const page of [phone, desk]) await field(page).waitFor()

    await choose(phone, 'Leave the conversation', 'Leave it')
    expect(await contrastProblems(phone)).toEqual([])
    await phone.keyboard.press('Enter')
    await phone.getByRole('heading', { name: 'Messages' }).and(phone.locator(':focus')).waitFor()
    // The shop sees it all the same, and may close it; what it is no member of it cannot leave.
    await rowOf(phone).click()
    await phone.getByRole('button', { name: 'Take part' }).waitFor()
    await choose(phone, 'Close the conversation', 'Close it')
    await phone.keyboard.press('Enter')
    await phone.getByText('The conversation is closed.').waitFor()
    expect(await head(phone).getByRole('button', { name: 'Options' }).count()).toBe(0)

    await desk.getByText('This conversation is closed.').waitFor()
    await choose(desk, 'Leave the conversation', 'Leave it')
    await desk.keyboard.press('Enter')
    await desk.getByRole('status').filter({ hasText: 'You have left' }).waitFor({ state: 'attached' })
    await rowOf(desk).waitFor({ state: 'detached' })
    const gone = await customer
      .get('/api/v1/conversations/{id}', { params })
      .catch((error: ApiError) => error.code)
    expect(gone).toBe('NOT_FOUND')
    expect(problems).toEqual([])
  })

  it('can be used with a keyboard alone, and says what is wrong', async () => {
    const { id } = await openConversation()
    const page = await openPage(stack.api, 1200)
    expect(await contrastProblems(page)).toEqual([])
    await page.keyboard.type('nobody@example.com')
    await page.keyboard.press('Tab')
    await page.keyboard.type('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor()
    await page.reload()
    await page.getByLabel('E-mail address').waitFor()
    await signInBy(page, 'user')
    await page.locator(`a[href="#${id}"]`).waitFor()
    // To the conversation by Tab, as somebody without a mouse goes there.
    for (let n = 0; n < 30; n += 1) {
      await page.keyboard.press('Tab')
      if ((await page.locator(`a[href="#${id}"]:focus`).count()) > 0) break
    }
    await page.keyboard.press('Enter')
    await page.locator('textarea:focus').waitFor()
    const text = `by keyboard ${Date.now()}`
    await page.keyboard.type(text)
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('second line')
    await page.keyboard.press('Enter')
    await message(page, text).waitFor()
    // Everything that can be used has a name.
    const nameless =
      await page.evaluate(`[...document.querySelectorAll('button, a, input, textarea')].flatMap((one) => {
      const name = one.getAttribute('aria-label') ?? one.textContent
      return name.trim() !== '' || one.labels?.length > 0 ? [] : [one.outerHTML]
    })`)
    expect(nameless).toEqual([])
  })
})
