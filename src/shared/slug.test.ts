import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from './errors.ts'
import { newId } from './ids.ts'
import { loadSlugOf, Slug, withFreeSlug } from './slug.ts'

const slugOf = await loadSlugOf()

const id = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11'

describe('slugOf', () => {
  it.each([
    ['Linen Tablecloth', 'linen-tablecloth'],
    ['  Crème brûlée & Straße  ', 'creme-brulee-and-strasse'],
    ['Льняная скатерть', 'lnyanaya-skatert'],
    ['iPhone case', 'iphone-case'],
    ['日本', 'item-6f2f9f11'],
    ['!!!', 'item-6f2f9f11'],
    [id, 'item-6f2f9f11'],
  ])('makes of %j the slug %s', (name, slug) => {
    expect(slugOf(name, id)).toBe(slug)
  })

  it('makes of any name a slug that the schema admits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (name) => {
        expect(Slug.safeParse(slugOf(name, newId())).error).toBeUndefined()
      }),
    )
  })
})

describe('Slug', () => {
  it.each(['Upper', 'two--hyphens', '-ends', 'ends-', 'spa ce', '', 'ü', 'a'.repeat(121), id])(
    'refuses %j',
    (slug) => {
      expect(Slug.safeParse(slug).success).toBe(false)
    },
  )
})

describe('withFreeSlug', () => {
  const taken = new AppError('SLUG_TAKEN', 'taken')

  /** Inserts that know some slugs already. */
  const inserting = (...known: string[]) => {
    const asked: string[] = []
    const insert = async (slug: string) => {
      asked.push(slug)
      if (known.includes(slug)) throw taken
      return slug
    }
    return { asked, insert }
  }

  it('sets a made slug apart when it is taken, once', async () => {
    const { asked, insert } = inserting('linen')
    expect(await withFreeSlug({ id, name: 'Linen' }, insert)).toBe('linen-6f2f9f11')
    expect(asked).toEqual(['linen', 'linen-6f2f9f11'])
  })

  it('gives up when that is taken too', async () => {
    const { insert } = inserting('linen', 'linen-6f2f9f11')
    await expect(withFreeSlug({ id, name: 'Linen' }, insert)).rejects.toBe(taken)
  })

  it('never replaces a slug that was asked for', async () => {
    const { asked, insert } = inserting('mine')
    await expect(withFreeSlug({ id, name: 'Linen', slug: 'mine' }, insert)).rejects.toBe(taken)
    expect(asked).toEqual(['mine'])
  })

  it('tries nothing again after another failure', async () => {
    const failure = new AppError('UNAVAILABLE', 'away')
    let calls = 0
    const insert = async () => {
      calls += 1
      throw failure
    }
    await expect(withFreeSlug({ id, name: 'Linen' }, insert)).rejects.toBe(failure)
    expect(calls).toBe(1)
  })
})
