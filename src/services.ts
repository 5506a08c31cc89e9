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
import { newId } from './shared/ids.ts'
import type { Logger } from './shared/logger.ts'
import type { Meter } from './shared/meter.ts'
import { createUserRepository } from './users/repository.ts'
import { createUserService } from './users/service.ts'

/** The composition root: the only place that knows everyone. Once a request, so that every log line carries its id. */
export const createServices = (config: Config, { log, meter }: { log: Logger; meter: Meter }) => {
  const database = createDatabase(config.database, { log, meter })
  return {
    auth: createAuthService({
      auth: createAuthRepository(database),
      tokens: createTokens(config.tokens),
      newId,
      refusesDemoAccounts: config.environment === 'production',
    }),
    categories: createCategoryService({ categories: createCategoryRepository(database), newId }),
    health: createHealthService({ health: createHealthRepository(database), log }),
    idempotency: createIdempotencyRepository(database),
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

export type Services = ReturnType<typeof createServices>
