import { z } from 'zod'
import { Subject } from '../inbox/protocol.ts'

const Id = z.uuid()

/** A day of the calendar in UTC, such as 2026-11-19. */
const Day = z.iso.date()

/**
 * What operators are told: that a job is dead (what is said of it is what its row said then), that jobs wait for something
 * that is away, or that somebody has sent a virus.
 */
export const Alert = z.union([
  z.object({ jobId: Id, type: z.string(), failures: z.int(), error: z.string().nullable() }),
  z.object({ waiting: z.string().describe('The type of the jobs'), since: z.string(), error: z.string() }),
  z.object({ infected: Id.describe('The upload'), ownerId: Id, found: z.string() }),
])
export type Alert = z.infer<typeof Alert>

const InfectedFile = z.object({ id: Id, name: z.string(), found: z.string() })

/** What a mail is about; its recipient and its figures are read when it is sent. */
export const MailOrder = z.discriminatedUnion('template', [
  z.object({ template: z.enum(['orderConfirmed', 'orderShipped', 'orderCancelled']), orderId: Id }),
  z.object({ template: z.literal('reportReady'), reportId: Id, userId: Id }),
  z.object({ template: z.literal('sessionReused'), sessionId: Id }),
  z.object({
    template: z.enum(['passwordReset', 'verifyEmail', 'confirmNewEmail', 'emailChanged']),
    tokenId: Id,
  }),
  z.object({
    template: z.enum(['passwordChanged', 'accountExists', 'emailChangeAsked', 'unreadMessages']),
    userId: Id,
  }),
  z.object({ template: z.literal('operatorAlert'), jobId: Id }),
  // Told here and not read: its owner may have deleted the upload by then.
  z.object({ template: z.enum(['fileInfected', 'infectedAlert']), userId: Id, file: InfectedFile }),
])
export type MailOrder = z.infer<typeof MailOrder>

/** Every kind of work in the background. A type without a handler does not compile. */
export const Job = z.discriminatedUnion('type', [
  z.object({ type: z.literal('mail.send'), payload: MailOrder }),
  z.object({ type: z.literal('ops.alert'), payload: Alert }),
  z.object({ type: z.literal('apiKey.renew'), payload: z.object({ keyId: Id }) }),
  z.object({ type: z.literal('report.build'), payload: z.object({ reportId: Id }) }),
  z.object({ type: z.literal('report.daily'), payload: z.object({ day: Day }) }),
  z.object({
    type: z.literal('chat.files'),
    payload: z.object({ conversationId: Id, version: z.int().describe('Of the conversation') }),
  }),
  z.object({ type: z.literal('chat.members'), payload: z.object({ conversationId: Id }) }),
  z.object({ type: z.literal('chat.orderStatus'), payload: z.object({ orderId: Id }) }),
  z.object({ type: z.literal('inbox.notify'), payload: z.object({ userId: Id, subject: Subject }) }),
  z.object({ type: z.literal('sessions.ended'), payload: z.object({ userId: Id, sessionId: Id }) }),
  z.object({ type: z.literal('upload.process'), payload: z.object({ uploadId: Id }) }),
])
export type Job = z.infer<typeof Job>

export type JobType = Job['type']
export const jobTypes = Job.options.map((option) => option.shape.type.value)

/** Work that takes much of an isolate's memory: of a batch one is run after the other. */
export const heavyTypes: ReadonlySet<string> = new Set<JobType>([
  'report.build',
  'report.daily',
  'upload.process',
])

type PayloadOf<T extends JobType> = Extract<Job, { type: T }>['payload']

/** What a handler knows of the job it works on. */
export type JobContext = {
  /** The same at every attempt: what an effect is made once by. */
  id: string
  /** Of the request that caused the job. */
  requestId: string
  traceparent: string | undefined
  /** Aborted when the lease is lost or the time is up: nothing that is done after it counts. */
  signal: AbortSignal
}

/**
 * A handler may run more than once for the same job and must make its effect once, by the job's id. What it throws is
 * a failure and tried again; a PermanentError is not, and a LaterError is no failure for as long as a day.
 */
export type JobHandlers = {
  [T in JobType]: (payload: PayloadOf<T>, context: JobContext) => Promise<void>
}
