import { describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { limitedApp, newAddress } from '../support/edge-limits.ts'
import { deliveryOf } from '../support/edge-mail.ts'
import { password } from '../support/edge-provided.ts'
import { mailedToken, mailJobsOf, mailsOf, newPassword, reset, tokenIn } from '../support/edge-recovery.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const newEmail = () => `${newId()}@people.example`

const ask = ({ token }: TestUser, email: string, currentPassword = password) =>
  api('POST', '/api/auth/change-email', { token, body: { email, currentPassword } })

const confirm = (token: string) => api('POST', '/api/auth/verify-email', { body: { token } })

const logsIn = async (email: string, secret = password) =>
  (await api('POST', '/api/auth/login', { body: { email, password: secret } })).status === 200

/** The token that is mailed to the new address. */
const asked = async (user: TestUser, email: string): Promise<string> => {
  const mails = await mailsOf(await ask(user, email))
  return tokenIn(mails.find(({ to }) => to === email))
}

describe('a change of address that is asked for', () => {
  it('changes nothing, mails a link to the new address and tells the old one', async () => {
    const user = await newUser()
    const email = newEmail()
    const answer = await ask(user, ` ${email.toUpperCase()}`)
    expect([answer.status, answer.data, answer.calls]).toEqual([202, { email }, 2])
    const mails = await mailsOf(answer)
    expect(mails.map(({ to, subject }) => `${String(to)}: ${subject}`).toSorted()).toEqual(
      [
        `${email}: Confirm your new e-mail address`,
        `${user.email}: Your e-mail address is about to change`,
      ].toSorted(),
    )
    const toNew = mails.find(({ to }) => to === email)
    expect(toNew?.text).toMatch(
      /^Use this address: https:\/\/shop\.selvedge\.test\/verify-email#token=[\w-]{43}$/m,
    )
    expect(toNew?.text).not.toContain(user.name)
    expect([await logsIn(user.email), await logsIn(email)]).toEqual([true, false])
    expect((await api('GET', '/api/auth/me', { token: user.token })).data).toMatchObject({
      email: user.email,
    })
  })

  it('needs the current password, and another address than the present one', async () => {
    const user = await newUser()
    const wrong = await ask(user, newEmail(), 'wrong')
    expect([wrong.status, wrong.details]).toEqual([422, [{ field: 'currentPassword', message: 'is wrong' }]])
    const own = await ask(user, user.email)
    expect([own.status, own.details]).toEqual([
      422,
      [{ field: 'email', message: 'is the address of this account' }],
    ])
    expect(await mailJobsOf(own.headers.get('X-Request-Id'))).toEqual([])
    const body = { email: newEmail(), currentPassword: password }
    expect((await api('POST', '/api/auth/change-email', { body })).status).toBe(401)
  })

  it('of an address that is taken is answered the same; whoever has it gets a mail, and no link', async () => {
    const [user, other] = [await newUser(), await newUser({ name: 'Grace Hopper' })]
    const answer = await ask(user, other.email)
    expect([answer.status, answer.data, answer.calls]).toEqual([202, { email: other.email }, 2])
    const mail = (await mailsOf(answer)).find(({ to }) => to === other.email)
    expect(mail?.subject).toBe('You have an account already')
    expect(mail?.text).toContain('Dear Grace Hopper, ')
    expect(mail?.text).not.toContain('token')
    expect(await sql('select 1 as one from mailed_tokens where user_id = $1', [user.id])).toEqual([])
  })

  it('mails to one address at most three times an hour, whoever asks', async () => {
    const { request } = limitedApp({})
    const email = newEmail()
    const statuses: number[] = []
    for (let n = 0; n < 4; n++) {
      const { token } = await newUser()
      const response = await request('/api/auth/change-email', {
        method: 'POST',
        body: JSON.stringify({ email, currentPassword: password }),
        headers: {
          'Content-Type': 'application/json',
          'CF-Connecting-IP': newAddress(),
          Authorization: `Bearer ${token}`,
        },
      })
      statuses.push(response.status)
    }
    expect(statuses).toEqual([202, 202, 202, 429])
  })
})

describe('a change of address that is confirmed', () => {
  it('holds at once, is confirmed with that, and the old address is told', async () => {
    const user = await newUser({ verified: false })
    const email = newEmail()
    const answer = await confirm(await asked(user, email))
    expect([answer.status, answer.text, answer.calls]).toEqual([204, '', 1])
    expect([await logsIn(user.email), await logsIn(email)]).toEqual([false, true])
    expect((await api('GET', '/api/auth/me', { token: user.token })).data).toMatchObject({
      email,
      verifiedAt: expect.any(String),
    })
    expect(await mailsOf(answer)).toMatchObject([
      { to: user.email, subject: 'Your e-mail address was changed' },
    ])
    const [job] = await mailJobsOf(answer.headers.get('X-Request-Id'))
    expect(await deliveryOf(job?.id ?? '')).toMatchObject({ user_id: user.id, recipient: user.email })
  })

  it('works once, and makes every link useless that was mailed before', async () => {
    const user = await newUser()
    const [first, second] = [newEmail(), newEmail()]
    const resetToken = await mailedToken(user.email)
    const stale = await asked(user, first)
    const token = await asked(user, second)
    // Of two that are asked for the later one counts.
    expect((await confirm(stale)).code).toBe('LINK_INVALID')
    expect((await confirm(token)).status).toBe(204)
    expect((await confirm(token)).code).toBe('LINK_INVALID')
    expect((await reset(resetToken)).code).toBe('LINK_INVALID')
    expect([await logsIn(first), await logsIn(second)]).toEqual([false, true])
  })

  it('loses against an account that has taken the address meanwhile', async () => {
    const user = await newUser()
    const email = newEmail()
    const token = await asked(user, email)
    const other = await newUser({ email })
    const { status, code } = await confirm(token)
    expect([status, code]).toEqual([409, 'EMAIL_TAKEN'])
    expect(await logsIn(user.email)).toBe(true)
    // Nothing was spent: the link works when the address is free again.
    await sql(`update users set email = $2 where id = $1`, [other.id, newEmail()])
    expect((await confirm(token)).status).toBe(204)
  })

  it.each([
    ['a reset', async (user: TestUser) => await reset(await mailedToken(user.email))],
    [
      'a new password',
      async ({ token }: TestUser) =>
        await api('POST', '/api/auth/change-password', {
          token,
          body: { currentPassword: password, password: newPassword },
        }),
    ],
  ])('does not work after %s', async (_, meanwhile) => {
    const user = await newUser()
    const email = newEmail()
    const token = await asked(user, email)
    expect((await meanwhile(user)).status).toBe(204)
    expect((await confirm(token)).code).toBe('LINK_INVALID')
    expect([await logsIn(user.email, newPassword), await logsIn(email, newPassword)]).toEqual([true, false])
  })

  it('does not work after an hour', async () => {
    const user = await newUser()
    const token = await asked(user, newEmail())
    await sql(
      `update mailed_tokens set created_at = created_at - interval '1 hour', expires_at = expires_at - interval '1 hour' where user_id = $1`,
      [user.id],
    )
    expect((await confirm(token)).code).toBe('LINK_INVALID')
  })

  it('leaves no address behind when the account is deleted', async () => {
    const [user, boss] = [await newUser(), await newUser({ role: 'admin' })]
    const done = await confirm(await asked(user, newEmail()))
    const pending = await asked(user, newEmail())
    await api('DELETE', `/api/v1/users/${user.id}`, { token: boss.token })
    expect(await sql('select 1 as one from mailed_tokens where user_id = $1', [user.id])).toEqual([])
    expect((await confirm(pending)).code).toBe('LINK_INVALID')
    expect(await mailsOf(done)).toEqual([])
  })
})
