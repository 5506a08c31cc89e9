import { MailOrder } from '../../src/jobs/catalog.ts'
import { api } from './edge-api.ts'
import { runMailJob } from './edge-mail.ts'
import { emptyMailbox, sentMails } from './edge-resend.ts'
import { sql } from './edge-sql.ts'

export const newPassword = 'Weft-and-Warp-8'

export const forgot = (email: string, headers: Record<string, string> = {}) =>
  api('POST', '/api/auth/forgot-password', { body: { email }, headers })

export const reset = (token: string, password = newPassword) =>
  api('POST', '/api/auth/reset-password', { body: { token, password } })

type MailJob = { id: string; payload: unknown }

/** The mails that a request has ordered. */
export const mailJobsOf = async (requestId: string | null): Promise<{ id: string; mail: MailOrder }[]> => {
  const rows = await sql<MailJob>(
    `select id, payload from jobs where type = 'mail.send' and request_id = $1 order by created_at, id`,
    [requestId],
  )
  return rows.map(({ id, payload }) => ({ id, mail: MailOrder.parse(payload) }))
}

/** Delivers what the request has ordered, as the queue would, and answers what has left. */
export const mailsOf = async ({ headers }: { headers: Headers }) => {
  await emptyMailbox()
  for (const { id, mail } of await mailJobsOf(headers.get('X-Request-Id'))) await runMailJob(mail, { id })
  return (await sentMails()).mails.map(({ body }) => body)
}

/** The token of the link in a mail. */
export const tokenIn = (mail: { text?: string | undefined } | undefined): string =>
  /#token=([\w-]{43})$/m.exec(mail?.text ?? '')?.[1] ?? 'no token'

/** The token of the link that is mailed when this address forgets its password. */
export const mailedToken = async (email: string): Promise<string> =>
  tokenIn((await mailsOf(await forgot(email)))[0])
