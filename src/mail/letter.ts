import type { SubjectType } from '../chat/subject.ts'
import type { MailOrder } from '../jobs/catalog.ts'
import type { Order } from '../orders/schema.ts'

export type TemplateName = MailOrder['template']

export type OrderTemplate = 'orderConfirmed' | 'orderShipped' | 'orderCancelled'

export type AccountTemplate =
  'sessionReused' | 'passwordChanged' | 'accountExists' | 'emailChangeAsked' | 'emailChanged' | LinkTemplate

/** Mails with a link that holds a token. */
type LinkTemplate = 'passwordReset' | 'verifyEmail' | 'confirmNewEmail'

/** What a report's mail says of it; days as 2026-11-19. */
export type ReportFacts = { id: string; from: string; to: string }

/** Of a conversation with messages that its member has not read. */
export type UnreadFacts = { id: string; subject: SubjectType; unread: number }

/** What an alert says of a job that was given up. */
export type JobFacts = {
  id: string
  type: string
  failures: number
  error: string | null
  requestId: string
  createdAt: string
}

/** Null: nobody knows yet whether whoever wrote it reads mail at this address. */
export type Name = string | null

/** All that a template is made from. */
export type Letter =
  | { template: OrderTemplate; name: Name; order: Order }
  | { template: Exclude<AccountTemplate, LinkTemplate>; name: Name }
  | { template: LinkTemplate; name: Name; tokenId: string }
  | { template: 'reportReady'; name: Name; report: ReportFacts }
  | { template: 'unreadMessages'; name: Name; conversations: UnreadFacts[] }
  | { template: 'operatorAlert'; job: JobFacts }
  | { template: 'fileInfected'; name: Name; file: InfectedFile }
  | { template: 'infectedAlert'; userId: string; file: InfectedFile }

/** A file in which a scanner has found something. */
export type InfectedFile = { id: string; name: string; found: string }

export type RenderedLetter = { subject: string; html: string; text: string }
