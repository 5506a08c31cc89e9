import { bodyLimit } from 'hono/body-limit'
import { apiKeyRoutes } from './api-keys/routes.ts'
import { authRoutes, wellKnownRoutes } from './auth/routes.ts'
import { categoryRoutes } from './categories/routes.ts'
import { conversationFileRoutes } from './chat/routes.files.ts'
import { conversationRoutes } from './chat/routes.ts'
import { conversationSocketRoutes } from './chat/routes.socket.ts'
import type { Config } from './config.ts'
import { docsRoutes } from './docs/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { homeRoutes } from './home/routes.ts'
import { onError } from './http/errors.ts'
import { createLimiters } from './http/limiters.ts'
import { accessLog } from './http/middleware/access-log.ts'
import { crossOrigin } from './http/middleware/cross-origin.ts'
import { plainJsonType } from './http/middleware/json-type.ts'
import { notFoundOrMethod } from './http/middleware/allowed-methods.ts'
import { isMarked, streamed, unlimited } from './http/middleware/limit-marks.ts'
import { requestId } from './http/middleware/request-id.ts'
import { securityHeaders } from './http/middleware/security-headers.ts'
import { serverTiming } from './http/middleware/server-timing.ts'
import { services } from './http/middleware/services.ts'
import { openApiDocument } from './http/document.ts'
import { refuseForeignPages } from './http/refresh-cookie.ts'
import { createRouter } from './http/router.ts'
import { eventRoutes } from './inbox/routes.events.ts'
import { notificationRoutes } from './inbox/routes.notifications.ts'
import { inboxSocketRoutes } from './inbox/routes.socket.ts'
import { realtimeRoutes } from './inbox/routes.ts'
import { jobRoutes } from './jobs/routes.ts'
import { webhookRoutes } from './mail/routes.ts'
import { mailPreviewRoutes } from './mail/routes.dev.ts'
import { orderRoutes } from './orders/routes.ts'
import { productRoutes } from './products/routes.ts'
import { reportRoutes } from './reports/routes.ts'
import type { ServicesOf } from './services.ts'
import { AppError } from './shared/errors.ts'
import type { Logger } from './shared/logger.ts'
import { directUploadRoutes } from './uploads/routes.direct.ts'
import { multipartRoutes } from './uploads/routes.s3.ts'
import { fileRoutes, linkRoutes } from './uploads/routes.files.ts'
import { uploadRoutes } from './uploads/routes.ts'
import { adminUploadRoutes } from './uploads/routes.admin.ts'
import { accountRoutes } from './users/routes.account.ts'
import { userRoutes } from './users/routes.ts'

/** Bytes of a JSON body. */
const maxBody = 1_000_000

type Options = {
  config: Config
  log: Logger
  servicesOf: ServicesOf
}

const limitOfBody = bodyLimit({
  maxSize: maxBody,
  onError: () => {
    throw new AppError('PAYLOAD_TOO_LARGE', 'The body is larger than 1 MB')
  },
})

export const createApp = ({ config, log, servicesOf }: Options) => {
  const app = createRouter()
  const { perAddress, perIdentity } = createLimiters(config)

  app.use(requestId(log))
  app.use(services(config, servicesOf))
  app.use(accessLog)
  app.use(serverTiming)
  app.use(securityHeaders)
  // The next one answers OPTIONS itself, so that those have to be counted before.
  app.on('OPTIONS', '*', perAddress)
  app.use(crossOrigin(config.corsOrigins))
  app.use(refuseForeignPages)
  app.use(async function limitBody(c, next) {
    await (isMarked(c, streamed) ? next() : limitOfBody(c, next))
  })

  app.use(perAddress)
  app.use(plainJsonType)
  app.use(perIdentity)

  app.route('/', homeRoutes)
  app.route('/', healthRoutes)
  app.route('/.well-known', wellKnownRoutes)
  app.route('/api/auth', authRoutes)
  app.route('/api/auth', accountRoutes)
  app.route('/api/v1/api-keys', apiKeyRoutes)
  app.route('/api/v1/users', userRoutes)
  app.route('/api/v1/categories', categoryRoutes)
  app.route('/api/v1/products', productRoutes)
  app.route('/api/v1/orders', orderRoutes)
  app.route('/api/v1/conversations', conversationRoutes)
  app.route('/api/v1/conversations', conversationFileRoutes)
  app.route('/api/v1/conversations', conversationSocketRoutes)
  app.route('/api/v1/realtime', realtimeRoutes)
  app.route('/api/v1/inbox', inboxSocketRoutes)
  app.route('/api/v1/notifications', notificationRoutes)
  app.route('/api/v1/events', eventRoutes)
  app.route('/api/v1/admin/jobs', jobRoutes)
  app.route('/api/v1/reports', reportRoutes)
  app.route('/api/v1/uploads/s3/multipart', multipartRoutes)
  app.route('/api/v1/uploads', directUploadRoutes)
  app.route('/api/v1/uploads', linkRoutes)
  app.route('/api/v1/files', fileRoutes)
  app.route('/api/v1/uploads', uploadRoutes)
  app.route('/api/v1/admin/uploads', adminUploadRoutes)
  app.route('/api/webhooks', webhookRoutes)
  if (config.isDevelopment) app.route('/dev/mail', mailPreviewRoutes)
  app.get('/api/v1/openapi.json', unlimited, openApiDocument(app))
  app.route('/api/docs', docsRoutes)

  app.notFound(notFoundOrMethod(app))
  app.onError(onError)
  return app
}
