import { describeError } from '../shared/describe-error.ts'
import type { Logger } from '../shared/logger.ts'
import type { HealthRepository } from './repository.ts'
import type { Readiness } from './schema.ts'

type Deps = { health: HealthRepository; log: Logger }

export const createHealthService = ({ health, log }: Deps) => ({
  /** Never throws: a dependency that is down is an answer. */
  async readiness(): Promise<Readiness> {
    const started = Date.now()
    try {
      await health.pingDatabase()
      return { status: 'ready', checks: { database: { status: 'up', latencyMs: Date.now() - started } } }
    } catch (error) {
      log.error('database is down', { error: describeError(error) })
      return {
        status: 'unavailable',
        checks: { database: { status: 'down', latencyMs: Date.now() - started } },
      }
    }
  },
})
