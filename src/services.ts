import { hashPassword, verifyPassword } from './auth/password.ts'
import { createAuthRepository } from './auth/repository.ts'
import { createAuthService } from './auth/service.ts'
import { createTokens } from './auth/tokens.ts'
import { createCategoryRepository } from './categories/repository.ts'
import { createCategoryService } from './categories/service.ts'
import type { Config } from './config.ts'
import { createDatabase } from './db/client.ts'
import { createHealthRepository } from './health/repository.ts'
import { createHealthService } from './health/service.ts'
import { createIdempotencyRepository } from './idempotency/repository.ts'
import { createOrderRepository } from './orders/repository.ts'
import { createOrderService } from './orders/service.ts'
import { createProductRepository } from './products/repository.ts'
import { createProductService } from './products/service.ts'
import { createLimitMemory, createLimitService, patience } from './limits/service.ts'
import { createObjectStore } from './limits/store.ts'
import { createUpstashStore } from './limits/upstash.ts'
import { newId } from './shared/ids.ts'
import type { Logger } from './shared/logger.ts'
import type { Meter } from './shared/meter.ts'
import { createUserRepository } from './users/repository.ts'
import { createUserService } from './users/service.ts'

type Context = { log: Logger; meter: Meter }

export type Bindings = { SLIDING_WINDOWS: Parameters<typeof createObjectStore>[0] }

/**
 * The composition root: the only place that knows everyone. What is costly to make and holds no I/O is made once an
 * isolate; the services once a request, so that every log line carries its id.
 */
export const createServices = (config: Config, { SLIDING_WINDOWS }: Bindings) => {
  const tokens = createTokens(config.tokens)
  const limitMemory = createLimitMemory()
  const limitStores = {
    objects: createObjectStore(SLIDING_WINDOWS),
    ...(config.upstash && { upstash: createUpstashStore({ ...config.upstash, patience }) }),
  }

  return ({ log, meter }: Context) => {
    const database = createDatabase(config.database, { log, meter })
    return {
      auth: createAuthService({
        auth: createAuthRepository(database),
        tokens,
        newId,
        refusesDemoAccounts: config.environment === 'production',
      }),
      categories: createCategoryService({ categories: createCategoryRepository(database), newId }),
      health: createHealthService({ health: createHealthRepository(database), log }),
      idempotency: createIdempotencyRepository(database),
      limits: createLimitService({ stores: limitStores, memory: limitMemory, log }),
      orders: createOrderService({ orders: createOrderRepository(database), newId }),
      products: createProductService({ products: createProductRepository(database), newId }),
      users: createUserService({
        users: createUserRepository(database),
        newId,
        hashPassword,
        verifyPassword,
      }),
    }
  }
}

export type Services = ReturnType<ReturnType<typeof createServices>>
