import { createHash, createHmac } from 'node:crypto'

export type MailedTokenPurpose = 'resetPassword' | 'verifyEmail' | 'changeEmail'

export const hashMailedToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** 256 bits in base64url. */
const form = /^[\w-]{43}$/

/** Whether it can be a token of a mail: what cannot is not looked for. */
export const isMailedToken = (text: string): boolean => form.test(text)

/**
 * Tokens for links in mails: a function of the row's id. A job holds that id only, and the token is derived when its mail
 * is made, so that neither jobs nor their logs nor the database ever hold what opens an account.
 */
export const createMailedTokens = (secret: string) => ({
  of: (id: string): string =>
    createHmac('sha256', secret)
      .update(JSON.stringify(['mailed token', id]))
      .digest('base64url'),
})

export type MailedTokens = ReturnType<typeof createMailedTokens>
