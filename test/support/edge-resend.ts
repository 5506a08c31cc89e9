import { inject } from 'vitest'
import type { SentMail, Trouble } from './resend.ts'

const call = async (method: string, path: string, body?: unknown): Promise<Response> =>
  await fetch(`${inject('resendUrl')}/test${path}`, {
    method,
    body: body === undefined ? null : JSON.stringify(body),
  })

/** What took effect at the local Resend endpoint, one entry a key, and how often it was asked in all. */
export const sentMails = async (): Promise<{ requests: number; mails: SentMail[] }> =>
  await (await call('GET', '/mails')).json()

/** What the next requests to it meet. */
export const meetTrouble = async (...troubles: Trouble[]): Promise<void> =>
  void (await (await call('POST', '/troubles', troubles)).text())

export const emptyMailbox = async (): Promise<void> => void (await (await call('DELETE', '')).text())
