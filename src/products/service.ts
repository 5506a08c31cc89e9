import type { Actor } from '../shared/actor.ts'
import { AppError, notFound } from '../shared/errors.ts'
import { isUuid } from '../shared/ids.ts'
import { paginate } from '../shared/page.ts'
import { withFreeSlug } from '../shared/slug.ts'
import type { ProductRepository, ProductRow } from './repository.ts'
import type { ChangeProduct, ChangeStock, CreateProduct, ListProducts, Product } from './schema.ts'

type Deps = { products: ProductRepository; newId: () => string }

const present = (row: ProductRow): Product => ({
  ...row,
  archivedAt: row.archivedAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

const found = (row: ProductRow | undefined): Product => {
  if (row === undefined) throw notFound('Product')
  return present(row)
}

const adminOf = (actor: Actor | undefined): Actor | undefined => (actor?.role === 'admin' ? actor : undefined)

export const createProductService = ({ products, newId }: Deps) => ({
  async list(actor: Actor | undefined, query: ListProducts) {
    const admin = query.archived === true ? adminOf(actor) : undefined
    if (query.archived === true && admin === undefined) {
      throw new AppError('FORBIDDEN', 'Only administrators see archived products')
    }
    const { rows, counted } = await products.list(query, admin)
    return { data: rows.map(present), pagination: paginate(query, counted) }
  },

  /** Administrators also see archived products. */
  async get(actor: Actor | undefined, idOrSlug: string): Promise<Product> {
    const by = isUuid(idOrSlug) ? { id: idOrSlug } : { slug: idOrSlug }
    return found(await products.find(by, adminOf(actor)))
  },

  async create(actor: Actor, { name, slug, ...rest }: CreateProduct): Promise<Product> {
    const id = newId()
    const made = await withFreeSlug({ id, name, slug }, (free) =>
      products.create(actor, { id, name, slug: free, ...rest }),
    )
    return present(made)
  },

  change: async (actor: Actor, id: string, change: ChangeProduct): Promise<Product> =>
    found(await products.change(actor, id, change)),

  changeStock: async (actor: Actor, id: string, change: ChangeStock): Promise<Product> =>
    found(await products.changeStock(actor, id, change)),

  async archive(actor: Actor, id: string): Promise<void> {
    if (!(await products.archive(actor, id))) throw notFound('Product')
  },
})
