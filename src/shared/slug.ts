import { z } from '@hono/zod-openapi'
import { AppError } from './errors.ts'
import { isUuid } from './ids.ts'

const maxMade = 80

export const Slug = z
  .string()
  .max(120)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case words joined by single hyphens')
  .refine((slug) => !isUuid(slug), 'must not look like an id')

/** The random end of the id sets apart two things of the same name. */
const withSuffix = (slug: string, id: string): string => `${slug}-${id.slice(-8)}`

/**
 * Makes a slug for a name in any script: transliterated where possible, else from the id. Never looks like an id.
 * Loaded by whoever needs one: building the tables of all languages would be a tenth of the Worker's start.
 */
export const loadSlugOf = async () => {
  const { default: slugify } = await import('@sindresorhus/slugify')
  return (name: string, id: string): string => {
    const slug = slugify(name, { decamelize: false }).slice(0, maxMade).replace(/-+$/, '')
    return slug === '' || isUuid(slug) ? withSuffix('item', id) : slug
  }
}

type Named = { id: string; name: string; slug?: string | undefined }

/** Inserts under the asked slug, or under one made from the name, which is set apart when it is taken. */
export const withFreeSlug = async <T>(
  { id, name, slug }: Named,
  insert: (slug: string) => Promise<T>,
): Promise<T> => {
  if (slug !== undefined) return await insert(slug)
  const slugOf = await loadSlugOf()
  const made = slugOf(name, id)
  try {
    return await insert(made)
  } catch (error) {
    if (error instanceof AppError && error.code === 'SLUG_TAKEN') return await insert(withSuffix(made, id))
    throw error
  }
}
