import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import type { Actor } from '../shared/actor.ts'
import { can } from '../shared/can.ts'
import { AppError, found, notFound } from '../shared/errors.ts'
import { isUuid } from '../shared/ids.ts'
import { paginate } from '../shared/page.ts'
import { withFreeSlug } from '../shared/slug.ts'
import type { ProductRepository } from './repository.ts'
import type { ChangeProduct, ChangeStock, CreateProduct, ListProducts, Product } from './schema.ts'

type Deps = { products: ProductRepository; newId: () => string }

export const createProductService = ({ products, newId }: Deps) => ({
  async list(actor: Actor | undefined, query: ListProducts) {
    if (query.archived === true && !can(actor, 'products.readArchived')) {
      throw new AppError('FORBIDDEN', 'Only administrators see archived products')
    }
    const { data, counted } = await products.list(actor, query)
    return { data, pagination: paginate(query, counted) }
  },

  get: async (actor: Actor | undefined, idOrSlug: string): Promise<Product> =>
    found('Product', await products.find(actor, isUuid(idOrSlug) ? { id: idOrSlug } : { slug: idOrSlug })),

  async create(
    actor: Actor,
    { name, slug, ...rest }: CreateProduct,
    once?: IdempotentRequest,
  ): Promise<Reply> {
    const id = newId()
    return await withFreeSlug({ id, name, slug }, (free) =>
      products.create(actor, { id, name, slug: free, ...rest }, once),
    )
  },

  change: (actor: Actor, id: string, change: ChangeProduct): Promise<Reply> =>
    products.change(actor, id, change),

  changeStock: (actor: Actor, id: string, change: ChangeStock, once?: IdempotentRequest): Promise<Reply> =>
    products.changeStock(actor, id, change, once),

  async archive(actor: Actor, id: string): Promise<void> {
    if (!(await products.archive(actor, id))) throw notFound('Product')
  },
})
