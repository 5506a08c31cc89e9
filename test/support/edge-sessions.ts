import { decodeJwt } from 'jose'
import { z } from 'zod'
import { TokenReply } from '../../src/auth/schema.ts'
import { api } from './edge-api.ts'
import { password } from './edge-provided.ts'
import { sql } from './edge-sql.ts'

const Held = TokenReply.required({ refreshToken: true })

/** What a client keeps of a login or refresh. */
export type Held = { refresh: string; nonce: string; access: string; sid: string }

const heldOf = (data: unknown): Held => {
  const { refreshToken, refreshNonce, accessToken } = Held.parse(data)
  const { sid } = z.object({ sid: z.string() }).parse(decodeJwt(accessToken))
  return { refresh: refreshToken, nonce: refreshNonce, access: accessToken, sid }
}

export const login = async (email: string, more: object = {}, secret = password): Promise<Held> =>
  heldOf((await api('POST', '/api/auth/login', { body: { email, password: secret, ...more } })).data)

/** A refresh whose answer the test looks at. */
export const tryRefresh = async (refreshToken: string, key?: string) =>
  await api('POST', '/api/auth/refresh', {
    body: { refreshToken },
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  })

/** A refresh that succeeds. */
export const refresh = async (refreshToken: string, key?: string): Promise<Held> =>
  heldOf((await tryRefresh(refreshToken, key)).data)

export const outcomeOf = async (answer: ReturnType<typeof tryRefresh>): Promise<string> => {
  const { status, code } = await answer
  if (status === 200) return '200'
  return `${status} ${code}`
}

export const lives = async (access: string): Promise<boolean> =>
  (await api('GET', '/api/auth/me', { token: access })).status === 200

/** Lets time pass for a session and its tokens. */
export const age = async (sid: string, interval: string): Promise<void> => {
  await sql(
    `update sessions set created_at = created_at - $2::interval, expires_at = expires_at - $2::interval where id = $1`,
    [sid, interval],
  )
  await sql(`update refresh_tokens set spent_at = spent_at - $2::interval where session_id = $1`, [
    sid,
    interval,
  ])
}

/** What a reuse leaves: audit events and mails about the session. */
export const alarmsOf = async (sid: string) => {
  const [row] = await sql<{ audits: number; mails: number }>(
    `select
      (select count(*)::int from audit_events where action = 'session.reused' and subject = $1) as audits,
      (select count(*)::int from jobs where type = 'mail.send' and subject_id = $1::uuid
        and payload = jsonb_build_object('template', 'sessionReused', 'sessionId', $1)) as mails`,
    [sid],
  )
  return row
}
