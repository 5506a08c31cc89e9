import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import { readConfig, type Config } from '../../src/config.ts'
import { createServices, type Bindings, type Services } from '../../src/services.ts'
import { createLogger } from '../../src/shared/logger.ts'
import { origin } from './edge-api.ts'

type Variant = {
  /** In place of the Worker's variables. */
  env?: Partial<Env>
  /** In place of some of the real services. */
  services?: (real: Services) => Partial<Services>
  /** In place of the objects that count. */
  windows?: Bindings['SLIDING_WINDOWS']
  /** In place of the objects of API keys. */
  keys?: Bindings['API_KEYS']
}

const loggerOf = ({ logLevel, isDevelopment }: Config, write?: (line: string) => void) =>
  createLogger({ level: logLevel, pretty: isDevelopment, ...(write && { write }) })

/** The process has one logger: whoever made another gives it back to the Worker. */
export const restoreLogger = (): void => void loggerOf(readConfig(env))

/** The app with other variables or services than the Worker's, and the lines that it logs. */
export const appWith = ({ env: changed = {}, services = () => ({}), windows, keys }: Variant) => {
  const config = readConfig({ ...env, ...changed })
  const servicesOf = createServices(config, {
    ...env,
    ...(windows && { SLIDING_WINDOWS: windows }),
    ...(keys && { API_KEYS: keys }),
  })
  const lines: string[] = []

  const request = async (path: string, init?: RequestInit): Promise<Response> => {
    const log = loggerOf(config, (line) => lines.push(line))
    const app = createApp({
      config,
      log,
      servicesOf: (context) => {
        const real = servicesOf(context)
        return { ...real, ...services(real) }
      },
    })
    try {
      const context = createExecutionContext()
      const response = await app.request(`${origin}${path}`, init, env, context)
      await waitOnExecutionContext(context)
      return response
    } finally {
      restoreLogger()
    }
  }

  return { lines, request }
}
