import type { Config } from '../config.ts'
import type { Verdict } from './limit-headers.ts'
import type { Services } from '../services.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'

/** What every handler finds in `c.var`; `actor` is added by the authenticate middleware. */
export type AppEnv = {
  Variables: {
    config: Config
    requestId: string
    traceparent: string
    log: Logger
    meter: Meter
    services: Services
    userId?: string
    /** Of the API key that the request was made with. */
    keyId?: string
    /** Of every limiter that the request has met. */
    limits?: Verdict[]
  }
}
