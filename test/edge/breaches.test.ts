import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { newId } from '../../src/shared/ids.ts'
import { appWith } from '../support/edge-app.ts'
import { password } from '../support/edge-provided.ts'
import { mailedToken, newPassword } from '../support/edge-recovery.ts'
import { newUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const url = 'https://breaches.example/range/'
const { request } = appWith({ env: { BREACH_CHECK_URL: url } })

const digest = createHash('sha1').update(newPassword).digest('hex').toUpperCase()

/** What the service is asked for; it knows `newPassword` alone. */
let asked: string[]
let answer: () => Promise<Response>

beforeEach(() => {
  asked = []
  answer = () => Promise.resolve(new Response(`${digest.slice(5)}:7\r\n`))
  const real = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const target = input instanceof Request ? input.url : String(input)
    if (!target.startsWith(url)) return await real(input, init)
    asked.push(target)
    return await answer()
  })
})
afterEach(() => void vi.restoreAllMocks())

const send = async (method: string, path: string, body: object, token?: string) => {
  const response = await request(path, {
    method,
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

const Refused = z.object({
  error: z.object({ details: z.tuple([z.object({ field: z.literal('password'), message: z.string() })]) }),
})

const ways: [string, (secret: string) => ReturnType<typeof send>][] = [
  [
    'a change of the password',
    async (secret) => {
      const { token } = await newUser()
      return await send(
        'POST',
        '/api/auth/change-password',
        { currentPassword: password, password: secret },
        token,
      )
    },
  ],
  [
    'a change of the account',
    async (secret) => {
      const { id, token } = await newUser()
      return await send(
        'PATCH',
        `/api/v1/users/${id}`,
        { currentPassword: password, password: secret },
        token,
      )
    },
  ],
  [
    'a reset',
    async (secret) => {
      const { email } = await newUser()
      return await send('POST', '/api/auth/reset-password', {
        token: await mailedToken(email),
        password: secret,
      })
    },
  ],
  [
    'a new account',
    async (secret) => {
      const { token } = await newUser({ role: 'admin' })
      const email = `${newId()}@people.example`
      return await send('POST', '/api/v1/users', { name: 'Ada Byron', email, password: secret }, token)
    },
  ],
]

describe.each(ways)('with the check switched on, %s', (_, attempt) => {
  it('does not take a password of a data breach', async () => {
    const { status, body } = await attempt(newPassword)
    expect(status).toBe(422)
    expect(Refused.parse(body).error.details[0].message).toMatch(/data breaches/)
    expect(asked).toEqual([`${url}${digest.slice(0, 5)}`])
  })

  it('takes any other, and any at all while nobody answers', async () => {
    expect((await attempt(`${newPassword}!`)).status).toBeLessThan(300)
    answer = () => Promise.reject(new Error('away'))
    expect((await attempt(newPassword)).status).toBeLessThan(300)
  })
})

it('a refused reset leaves its link as it was', async () => {
  const { id, email } = await newUser()
  const token = await mailedToken(email)
  await send('POST', '/api/auth/reset-password', { token, password: newPassword })
  expect(await sql('select from mailed_tokens where user_id = $1 and used_at is null', [id])).toHaveLength(1)
})
