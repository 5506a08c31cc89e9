import type { JobContext, MailOrder } from '../jobs/catalog.ts'
import { AppError } from '../shared/errors.ts'
import { PermanentError } from '../shared/permanent-error.ts'
import type { Logger } from '../shared/logger.ts'
import type { Letter, RenderedLetter, TemplateName } from './letter.ts'
import type { Mailer } from './mailer.ts'
import type { MailRepository } from './repository.ts'
import { samples, templateNames } from './samples.ts'
import type { MailEvent, Receipt } from './schema.ts'
import { isAuthentic, type SignedMessage } from './signature.ts'
import { eventStatuses } from './status.ts'

type Settings = {
  /** `whsec_` and base64. */
  webhookSecret: string
  /** Who gets operators' mail; undefined: nobody. */
  opsEmail: string | undefined
  /** Where links lead; no slash at its end. */
  appUrl: string
}

type Deps = {
  deliveries: MailRepository
  /** Undefined when mail is off. */
  mailer: Mailer | undefined
  settings: Settings
  render: (letter: Letter, appUrl: string, tokenOf: (tokenId: string) => string) => RenderedLetter
  /** Only here, when a mail leaves, a token is seen in clear. */
  tokenOf: (tokenId: string) => string
  log: Logger
}

/** RFC 3834: answering machines leave such mail alone. */
const automatic = { 'Auto-Submitted': 'auto-generated' }

const headersOf = ({ requestId, traceparent }: JobContext): Record<string, string> => ({
  ...automatic,
  'X-Request-Id': requestId,
  ...(traceparent === undefined ? {} : { traceparent }),
})

/** The preview shows no token that could ever be real. */
const tokenOfSamples = (): string => 'a-token-of-256-bits-as-it-stands-in-the-mail'

/** A mailbox that is full or away may take the next mail; one that is not there never will. */
const suppresses = ({ type, data }: MailEvent): boolean =>
  type === 'email.complained' || (type === 'email.bounced' && data.bounce?.type === 'Permanent')

export const createMailService = ({ deliveries, mailer, settings, render, tokenOf, log }: Deps) => ({
  /**
   * The handler of `mail.send`: two calls to the database, one to the provider. However often a job runs, one mail
   * leaves: what was sent is not sent again, and the provider knows a job that it has taken by its id.
   * @throws PermanentError when the provider will never take this mail
   */
  async send(mail: MailOrder, context: JobContext): Promise<void> {
    const { id: jobId, requestId } = context
    const about = { jobId, template: mail.template }
    const { opsEmail, appUrl } = settings
    const begun = await deliveries.begin({ jobId, mail, requestId, opsEmail, off: mailer === undefined })
    const { status, recipient, letter } = begun
    if (mailer === undefined || status !== 'sending' || recipient === null) {
      return log.info('mail not sent', { ...about, status })
    }
    // All has been read since the mail was ordered.
    if (letter === null && mail.template === 'unreadMessages') {
      return await deliveries.refused(jobId, 'nothing_unread')
    }
    if (letter === null) throw new PermanentError(`What this ${mail.template} is about does not exist`)

    const tags = { job_id: jobId, template: mail.template }
    const outgoing = { to: recipient, ...render(letter, appUrl, tokenOf), headers: headersOf(context), tags }
    const verdict = await mailer.send(outgoing, jobId, context.signal)
    if (verdict.taken) {
      await deliveries.taken(jobId, verdict.providerId)
      return log.info('mail sent', { ...about, providerId: verdict.providerId })
    }
    await deliveries.refused(jobId, verdict.problem)
    const explanation = verdict.explanation.replaceAll(recipient, '(recipient)')
    throw new PermanentError(`The mail provider refuses this mail: ${verdict.problem}: ${explanation}`)
  },

  /** The id of a message that is the provider's own, and fresh. @throws WEBHOOK_REFUSED */
  verify(message: SignedMessage): string {
    if (mailer !== undefined && message.id !== undefined && isAuthentic(settings.webhookSecret, message))
      return message.id
    throw new AppError('WEBHOOK_REFUSED', 'The signature of this message is missing, wrong or too old')
  },

  /** Records a verified event, whatever order events come in. */
  async record(messageId: string, event: MailEvent): Promise<Receipt> {
    const { type, created_at: at, data } = event
    const outcome = await deliveries.record({
      id: messageId,
      type,
      at,
      status: eventStatuses[type],
      providerId: data.email_id,
      jobId: data.tags?.job_id,
      suppresses: suppresses(event),
    })
    const fields = { outcome, type, providerId: data.email_id, jobId: data.tags?.job_id }
    if (outcome === 'unknown') log.warn('event of a mail that we do not know', fields)
    else log.info('mail event', fields)
    return { outcome }
  },

  previewNames: (): TemplateName[] => templateNames,

  /** A template with invented data. */
  preview: (template: TemplateName): RenderedLetter =>
    render(samples[template], settings.appUrl, tokenOfSamples),

  purgeExpired: async (): Promise<number> => await deliveries.purgeExpired(),
})
