import { Resend } from 'resend'
import { z } from 'zod'

export type OutgoingMail = {
  to: string
  subject: string
  html: string
  text: string
  headers: Record<string, string>
  /** Comes back with every event of the mail. Letters, digits, `_` and `-` only. */
  tags: Record<string, string>
}

/** What becomes of a mail that the provider has judged. Everything else is thrown, and may be tried again. */
type Verdict =
  /** `providerId` is undefined when an earlier try was taken and its answer lost. */
  { taken: true; providerId: string | undefined } | { taken: false; problem: string; explanation: string }

export type Mailer = ReturnType<typeof createMailer>

type Settings = { apiKey: string; baseUrl: string | undefined; from: string; timeoutMs?: number }

/** What a failure of the provider looks like; anything may stand between it and us. */
const Failure = z.object({ name: z.string(), message: z.string(), statusCode: z.number().nullable() })

/** These will be the same the next time. A bad key (401, 403) or a full quota (429) can be mended meanwhile. */
const hopeless = new Set([400, 404, 405, 413, 422])

const verdictOn = (error: unknown): Verdict => {
  const { name, message, statusCode } = Failure.catch({
    name: 'unreadable_answer',
    message: 'The provider answered something else than its API says',
    statusCode: null,
  }).parse(error)
  // Our key with another content: an earlier try was taken, and what we wrote about has changed since.
  if (name === 'invalid_idempotent_request') return { taken: true, providerId: undefined }
  if (statusCode !== null && hopeless.has(statusCode)) {
    return { taken: false, problem: name.slice(0, 100), explanation: message.slice(0, 500) }
  }
  // Without a status the SDK has no answer: it says so of refused connections, timeouts and lost ones alike.
  const what =
    statusCode === null ? `could not be reached, or broke off: ${name}` : `failed: ${name} (${statusCode})`
  throw new Error(`The mail provider ${what}`)
}

/** The only place that knows the provider: https://resend.com/docs/api-reference/emails/send-email */
export const createMailer = ({ apiKey, baseUrl, from, timeoutMs = 10_000 }: Settings) => {
  // Both are named: the SDK would look for what is left out in the process's environment.
  const resend = new Resend(apiKey, { baseUrl: baseUrl ?? 'https://api.resend.com', userAgent: 'selvedge' })

  return {
    /**
     * Within 24 hours the provider sends at most one mail a key, however often it is asked.
     * @throws Error when the provider is away, overloaded or does not answer in time
     */
    async send(
      { to, subject, html, text, headers, tags }: OutgoingMail,
      key: string,
      signal: AbortSignal,
    ): Promise<Verdict> {
      const { data, error } = await resend.emails.send(
        {
          from,
          to,
          subject,
          html,
          text,
          headers,
          tags: Object.entries(tags).map(([name, value]) => ({ name, value })),
        },
        { idempotencyKey: key, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
      )
      if (error !== null) return verdictOn(error)
      return { taken: true, providerId: z.object({ id: z.string().min(1).max(100) }).parse(data).id }
    },
  }
}
