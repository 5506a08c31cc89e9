import { createApp } from '../src/app.ts'
import { ConfigError, readConfig } from '../src/config.ts'
import { createServices } from '../src/services.ts'
import { newId } from '../src/shared/ids.ts'
import { createLogger } from '../src/shared/logger.ts'

const start = (env: Env) => {
  const config = readConfig(env)
  const log = createLogger({ level: config.logLevel, pretty: config.isDevelopment })
  const servicesOf = createServices(config, env)
  return { config, log, servicesOf, app: createApp({ config, log, servicesOf }) }
}

let started: ReturnType<typeof start> | undefined

/** Once an isolate: configuration, logger and app hold no I/O of a request. @throws ConfigError */
export const startOnce = (env: Env) => (started ??= start(env))

const refuse = ({ message, problems }: ConfigError): Response => {
  const requestId = newId()
  createLogger({ level: 'error', pretty: false }).error(message, { requestId, problems })
  const error = { code: 'UNAVAILABLE', message: 'The service is not configured', requestId }
  return Response.json(
    { error },
    { status: 503, headers: { 'Retry-After': '60', 'X-Request-Id': requestId } },
  )
}

export const serve = async (request: Request, env: Env, context: ExecutionContext): Promise<Response> => {
  try {
    return await startOnce(env).app.fetch(request, env, context)
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error)
    throw error
  }
}
