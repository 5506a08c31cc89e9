import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import type { Actor } from '../shared/actor.ts'
import { found, notFound } from '../shared/errors.ts'
import { isUuid } from '../shared/ids.ts'
import { paginate } from '../shared/page.ts'
import { withFreeSlug } from '../shared/slug.ts'
import type { CategoryRepository } from './repository.ts'
import type { Category, ChangeCategory, CreateCategory, ListCategories } from './schema.ts'

type Deps = { categories: CategoryRepository; newId: () => string }

export const createCategoryService = ({ categories, newId }: Deps) => ({
  async list(query: ListCategories) {
    const { data, counted } = await categories.list(query)
    return { data, pagination: paginate(query, counted) }
  },

  get: async (idOrSlug: string): Promise<Category> =>
    found('Category', await categories.find(isUuid(idOrSlug) ? { id: idOrSlug } : { slug: idOrSlug })),

  async create(actor: Actor, { name, slug }: CreateCategory, once?: IdempotentRequest): Promise<Reply> {
    const id = newId()
    return await withFreeSlug({ id, name, slug }, (free) =>
      categories.create(actor, { id, name, slug: free }, once),
    )
  },

  change: async (actor: Actor, id: string, change: ChangeCategory): Promise<Category> =>
    found('Category', await categories.change(actor, id, change)),

  async archive(actor: Actor, id: string): Promise<void> {
    if (!(await categories.archive(actor, id))) throw notFound('Category')
  },
})
