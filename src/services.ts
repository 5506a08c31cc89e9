import { createRefusals } from './api-keys/refusals.ts'
import { createApiKeyRepository } from './api-keys/repository.ts'
import { createSecrets } from './api-keys/secret.ts'
import { createApiKeyService } from './api-keys/service.ts'
import { createKeyStore } from './api-keys/store.ts'
import { hashPassword, verifyPassword } from './auth/password.ts'
import { createRefreshTokens } from './auth/refresh-token.ts'
import { createAuthRepository } from './auth/repository.ts'
import { createAuthService } from './auth/service.ts'
import { createSessionService } from './auth/service/sessions.ts'
import { createSessionRepository } from './auth/session-repository.ts'
import { createTokens } from './auth/tokens.ts'
import { createCategoryRepository } from './categories/repository.ts'
import { createCategoryService } from './categories/service.ts'
import { createConversationFileRepository } from './chat/file-repository.ts'
import { createConversationRepository } from './chat/repository.ts'
import { createRooms } from './chat/rooms.ts'
import { createConversationService } from './chat/service.ts'
import { createConversationFileService } from './chat/service/files.ts'
import type { Config } from './config.ts'
import { createDatabase } from './db/client.ts'
import { createHealthRepository } from './health/repository.ts'
import { createHealthService } from './health/service.ts'
import { createIdempotencyRepository } from './idempotency/repository.ts'
import { createInboxes } from './inbox/inboxes.ts'
import { createInboxRepository } from './inbox/repository.ts'
import { createRealtimeService } from './inbox/service.ts'
import { createNotificationService } from './inbox/service/notifications.ts'
import type { JobHandlers } from './jobs/catalog.ts'
import { createConsumer, type Workshop } from './jobs/consumer.ts'
import { createDeadLetters } from './jobs/dead-letters.ts'
import { createDispatcher, unqueued } from './jobs/dispatcher.ts'
import type { Origin } from './jobs/outbox.ts'
import { createProducer, type JobQueue } from './jobs/producer.ts'
import { createJobRepository, type Claimed } from './jobs/repository.ts'
import { createJobService } from './jobs/service.ts'
import { createSweeper } from './jobs/sweeper.ts'
import { createWebhook } from './jobs/webhook.ts'
import { createMailer } from './mail/mailer.ts'
import { createMailRepository } from './mail/repository.ts'
import { createMailService } from './mail/service.ts'
import { renderLetter } from './mail/templates/render.ts'
import { createOrderRepository } from './orders/repository.ts'
import { createOrderService } from './orders/service.ts'
import { createProductRepository } from './products/repository.ts'
import { createProductService } from './products/service.ts'
import { createLimitMemory, createLimitService, patience } from './limits/service.ts'
import { createObjectStore } from './limits/store.ts'
import { createUpstashStore } from './limits/upstash.ts'
import { createReportBuilder } from './reports/builder.ts'
import { createFonts } from './reports/fonts.ts'
import { createReportRepository } from './reports/repository.ts'
import { createReportService } from './reports/service.ts'
import { createReportStore } from './reports/store.ts'
import { newId } from './shared/ids.ts'
import type { Logger } from './shared/logger.ts'
import { newMeter, type Meter } from './shared/meter.ts'
import { joinTrace } from './shared/trace.ts'
import { createDirectRepository } from './uploads/direct-repository.ts'
import { createFileRepository } from './uploads/file-repository.ts'
import { createFileService } from './uploads/service/files.ts'
import { createSignedLinks } from './uploads/signed-link.ts'
import { createImages } from './uploads/images.ts'
import { createPartBuffers } from './uploads/part-buffers.ts'
import { createPipelineRepository } from './uploads/pipeline-repository.ts'
import { createUploadPipeline } from './uploads/pipeline.ts'
import { createUploadRepository } from './uploads/repository.ts'
import { createS3 } from './uploads/s3.ts'
import { createScanner, type Dial } from './uploads/scanner.ts'
import { createUploadService } from './uploads/service.ts'
import { createDirectUploads } from './uploads/service/direct.ts'
import { createDiscard } from './uploads/service/discard.ts'
import { createMultipartUploads } from './uploads/service/multipart.ts'
import { createReceiver } from './uploads/service/receive.ts'
import { createUploadSweeper } from './uploads/service/sweep.ts'
import { createUploadStore } from './uploads/store.ts'
import { createSweepPlace } from './uploads/sweep-place.ts'
import { createSweepRepository } from './uploads/sweep-repository.ts'
import { createBreaches } from './users/breaches.ts'
import { createCurrentPassword } from './users/current-password.ts'
import { createEmailRepository } from './users/email-repository.ts'
import { createMailedTokens } from './users/mailed-token.ts'
import { createRecoveryRepository } from './users/recovery-repository.ts'
import { createUserRepository } from './users/repository.ts'
import { createEmailChangeService } from './users/service/email-change.ts'
import { createRecoveryService } from './users/service/recovery.ts'
import { createRegistrationService } from './users/service/registration.ts'
import { createUserService } from './users/service.ts'

/** What work is done for: a request, a cron, a job. */
export type Context = {
  log: Logger
  meter: Meter
  origin: Origin
  /** Begins work that may go on when the response has been sent. */
  after: (work: Promise<void>) => void
}

export type Bindings = {
  API_KEYS: Parameters<typeof createKeyStore>[0]
  SLIDING_WINDOWS: Parameters<typeof createObjectStore>[0]
  CHAT_ROOMS: Parameters<typeof createRooms>[0]
  INBOXES: Parameters<typeof createInboxes>[0]
  JOBS: JobQueue
  DEAD_JOBS: JobQueue
  ASSETS: Parameters<typeof createFonts>[0]
  FILES: Parameters<typeof createReportStore>[0] &
    Parameters<typeof createUploadStore>[0] &
    Parameters<typeof createSweepPlace>[0]
  IMAGES: Parameters<typeof createImages>[0]
  /** Into the private network of the scanner, where there is one. */
  SCANNER?: { connect: Dial }
}

/**
 * The composition root: the only place that knows everyone. What is costly to make and holds no I/O is made once an
 * isolate; the services once a request, so that every log line carries its id.
 */
export const createServices = (
  config: Config,
  {
    API_KEYS,
    SLIDING_WINDOWS,
    CHAT_ROOMS,
    INBOXES,
    JOBS,
    DEAD_JOBS,
    ASSETS,
    FILES,
    IMAGES,
    SCANNER,
  }: Bindings,
) => {
  const tokens = createTokens(config.tokens)
  const refreshTokens = createRefreshTokens(config.tokenSecret)
  const mailedTokens = createMailedTokens(config.tokenSecret)
  const secrets = createSecrets(config.tokenSecret, { isProduction: config.environment === 'production' })
  const keyStore = createKeyStore(API_KEYS)
  const refusals = createRefusals()
  const links = createSignedLinks(config.tokenSecret)
  const limitMemory = createLimitMemory()
  const limitStores = {
    objects: createObjectStore(SLIDING_WINDOWS),
    ...(config.upstash && { upstash: createUpstashStore({ ...config.upstash, patience }) }),
  }
  const rooms = createRooms(CHAT_ROOMS)
  const inboxes = createInboxes(INBOXES, config.tokenSecret)
  const { provider, ...mailSettings } = config.mail
  const mailer = provider && createMailer(provider)

  const fonts = createFonts(ASSETS)
  const store = createReportStore(FILES)
  const uploadStore = createUploadStore(FILES)
  const s3 = config.s3 && createS3(config.s3)
  const images = createImages(IMAGES)
  const scanner =
    config.scannerUrl === undefined ? undefined : createScanner({ url: config.scannerUrl, network: SCANNER })
  const partBuffers = createPartBuffers()
  const producer = createProducer({ jobs: JOBS, dead: DEAD_JOBS })
  const webhook = createWebhook(config.operators.webhookUrl)

  /** A job's own services: its lines carry the ids of the request that caused it. */
  const workshopFor =
    ({ log, after }: Pick<Context, 'log' | 'after'>) =>
    ({ id, requestId, traceparent }: Claimed): Workshop => {
      const trace = joinTrace(traceparent ?? undefined)
      const own = log.with({ requestId, traceId: trace.traceId, jobId: id })
      const origin = { requestId, traceparent: trace.traceparent }
      return { handlers: servicesOf({ log: own, meter: newMeter(), origin, after }).handlers, log: own }
    }

  const servicesOf = ({ log, meter, origin, after }: Context) => {
    const database = createDatabase(config.database, { log, meter })
    const jobs = createJobRepository(database)
    const isInline = config.jobRunner === 'inline'
    const consumer = createConsumer({
      jobs,
      bury: async (ids) => await (isInline ? deadLetters.work(unqueued(ids)) : producer.bury(ids)),
      workshopFor: workshopFor({ log, after }),
      log,
    })
    const route = isInline ? { inline: consumer } : { producer }
    const dispatcher = createDispatcher({ newId, origin, after, route, log })
    const deadLetters = createDeadLetters({ jobs, dispatcher, log })
    const mail = createMailService({
      deliveries: createMailRepository(database),
      mailer,
      settings: mailSettings,
      render: renderLetter,
      tokenOf: mailedTokens.of,
      log,
    })
    const breaches = createBreaches({ url: config.breachCheckUrl, log })
    const reports = createReportRepository(database)
    const builder = createReportBuilder({ reports, store, fonts, dispatcher, newId })
    const apiKeys = createApiKeyService({
      keys: createApiKeyRepository(database, secrets.prefix),
      store: keyStore,
      secrets,
      refusals,
      limits: config.limits,
      dispatcher,
      newId,
      requestId: origin.requestId,
      log,
    })
    const conversationRepository = createConversationRepository(database)
    const conversations = createConversationService({
      conversations: conversationRepository,
      rooms,
      dispatcher,
      newId,
      origin,
      log,
    })
    const conversationFiles = createConversationFileService({
      files: createConversationFileRepository(database),
      conversations: conversationRepository,
      rooms,
      dispatcher,
      newId,
      origin,
    })
    const inboxRepository = createInboxRepository(database)
    const realtime = createRealtimeService({
      inboxes,
      rooms,
      conversations: conversationRepository,
      repository: inboxRepository,
      log,
    })
    const uploads = createUploadRepository(database)
    const discard = createDiscard({ uploads, store: uploadStore })
    const direct = {
      uploads,
      directs: createDirectRepository(database),
      store: uploadStore,
      discard,
      s3,
      dispatcher,
      newId,
      ...config.uploads,
    }
    const users = createUserRepository(database)
    const emails = createEmailRepository(database)
    const currentPassword = createCurrentPassword({ users, verifyPassword })
    const notifications = createNotificationService({ inboxes, repository: inboxRepository })
    const handlers: JobHandlers = {
      'apiKey.renew': apiKeys.renew,
      'mail.send': mail.send,
      'report.build': builder.build,
      'report.daily': builder.daily,
      'chat.files': conversationFiles.tellFiles,
      'chat.members': conversations.tellMembers,
      'chat.orderStatus': conversations.tellOrder,
      'inbox.notify': notifications.notify,
      'sessions.ended': realtime.closeSockets,
      'ops.alert': (alert, { signal }) => webhook(alert, signal),
      'upload.process': createUploadPipeline({
        uploads: createPipelineRepository(database),
        store: uploadStore,
        scanner,
        images,
        dispatcher,
        newId,
        log,
      }),
    }
    return {
      apiKeys,
      auth: createAuthService({
        auth: createAuthRepository(database),
        tokens,
        refreshTokens,
        newId,
        refusesDemoAccounts: config.environment === 'production',
        requiresVerifiedEmail: config.requiresVerifiedEmail,
      }),
      categories: createCategoryService({ categories: createCategoryRepository(database), newId }),
      consumer,
      conversationFiles,
      conversations,
      deadLetters,
      directUploads: createDirectUploads(direct),
      files: createFileService({ files: createFileRepository(database), store: uploadStore, links, log }),
      emailChange: createEmailChangeService({
        emails,
        currentPassword,
        mailedTokens,
        dispatcher,
        newId,
        origin,
      }),
      handlers,
      health: createHealthService({ health: createHealthRepository(database), log }),
      idempotency: createIdempotencyRepository(database),
      jobs: createJobService({ jobs, dispatcher, requestId: origin.requestId }),
      limits: createLimitService({ stores: limitStores, memory: limitMemory, log }),
      mail,
      multipartUploads: createMultipartUploads(direct),
      notifications,
      orders: createOrderService({ orders: createOrderRepository(database), dispatcher, newId }),
      products: createProductService({ products: createProductRepository(database), newId }),
      purgeJobs: jobs.purgeExpired,
      realtime,
      recovery: createRecoveryService({
        recovery: createRecoveryRepository(database),
        breaches,
        mailedTokens,
        dispatcher,
        newId,
        hashPassword,
        origin,
        sockets: realtime,
      }),
      registration: createRegistrationService({
        emails,
        breaches,
        mailedTokens,
        dispatcher,
        newId,
        hashPassword,
        origin,
      }),
      sessions: createSessionService({
        sessions: createSessionRepository(database),
        tokens,
        refreshTokens,
        dispatcher,
        newId,
        origin,
        log,
        sockets: realtime,
      }),
      sweeper: createSweeper({ jobs, producer, origin, newId }),
      reports: createReportService({ reports, store, dispatcher, newId }),
      receive: createReceiver({
        uploads,
        store: uploadStore,
        discard,
        partBuffers,
        dispatcher,
        newId,
        after,
        log,
        settings: config.uploads,
      }),
      uploads: createUploadService({ uploads, discard, log }),
      uploadSweeper: createUploadSweeper({
        store: uploadStore,
        place: createSweepPlace(FILES),
        discard,
        log,
        requestId: origin.requestId,
        sweeps: createSweepRepository(database),
      }),
      users: createUserService({
        users,
        breaches,
        dispatcher,
        origin,
        newId,
        hashPassword,
        currentPassword,
        sockets: realtime,
      }),
    }
  }

  return servicesOf
}

export type ServicesOf = ReturnType<typeof createServices>
export type Services = ReturnType<ServicesOf>
