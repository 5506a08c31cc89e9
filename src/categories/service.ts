import type { Actor } from '../shared/actor.ts'
import { notFound } from '../shared/errors.ts'
import { isUuid } from '../shared/ids.ts'
import { paginate } from '../shared/page.ts'
import { withFreeSlug } from '../shared/slug.ts'
import type { CategoryRepository, CategoryRow } from './repository.ts'
import type { Category, ChangeCategory, CreateCategory, ListCategories } from './schema.ts'

type Deps = { categories: CategoryRepository; newId: () => string }

const present = ({ id, name, slug, archivedAt, createdAt, updatedAt }: CategoryRow): Category => ({
  id,
  name,
  slug,
  archivedAt: archivedAt?.toISOString() ?? null,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})

export const createCategoryService = ({ categories, newId }: Deps) => ({
  async list(query: ListCategories) {
    const { rows, counted } = await categories.list(query)
    return { data: rows.map(present), pagination: paginate(query, counted) }
  },

  async get(idOrSlug: string): Promise<Category> {
    const found = await categories.find(isUuid(idOrSlug) ? { id: idOrSlug } : { slug: idOrSlug })
    if (found === undefined) throw notFound('Category')
    return present(found)
  },

  async create(actor: Actor, { name, slug }: CreateCategory): Promise<Category> {
    const id = newId()
    const made = await withFreeSlug({ id, name, slug }, (free) =>
      categories.create(actor, { id, name, slug: free }),
    )
    return present(made)
  },

  async change(actor: Actor, id: string, change: ChangeCategory): Promise<Category> {
    const changed = await categories.change(actor, id, change)
    if (changed === undefined) throw notFound('Category')
    return present(changed)
  },

  async archive(actor: Actor, id: string): Promise<void> {
    if (!(await categories.archive(actor, id))) throw notFound('Category')
  },
})
