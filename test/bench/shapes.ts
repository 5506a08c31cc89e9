import type { Call } from './load.ts'
import type { Orders } from './product.ts'
import { createRandom } from './random.ts'
import { vocabulary } from './vocabulary.ts'

type Shape = { name: string; next: () => Call; /** Shown, but not part of the group's p95. */ aside?: true }

export type Group = { name: string; status: number; shapes: Shape[] }

const textOf = (query: Record<string, string | number>): string =>
  Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')

const products = (query: Record<string, string | number>): Call => ({
  method: 'GET',
  path: `/api/v1/products?${textOf(query)}`,
})

const { looks, materials, items, places } = vocabulary

/** The same questions at every size; words come as often as the catalogue has them. */
export const createGroups = (size: number, order: Orders['next']): Group[] => {
  const { below, pick, zipf } = createRandom(7)
  const word = (list: readonly string[]): string => list[zipf(list.length)] ?? ''
  const category = () => `category-${1 + below(40)}`
  const from = () => 3 + below(200)

  const lists: Shape[] = [
    { name: 'newest', next: () => products({ page: 1 + below(5) }) },
    { name: 'category by price', next: () => products({ category: category(), sort: 'price' }) },
    {
      name: 'in stock by price',
      next: () => products({ inStock: 'true', sort: 'price', page: 1 + below(3) }),
    },
    {
      name: 'price range by name',
      next: () => {
        const minPrice = from()
        return products({ minPrice, maxPrice: minPrice + 20, sort: 'name' })
      },
    },
    {
      name: 'category, price range, in stock',
      next: () => products({ category: category(), minPrice: 20, maxPrice: 80, inStock: 'true' }),
    },
    { name: 'page 45', next: () => products({ page: 45 }) },
    {
      name: 'deepest page that is allowed',
      aside: true,
      next: () => products({ page: Math.min(500, Math.floor((size * 0.95) / 20)) }),
    },
  ]
  const searches: Shape[] = [
    { name: 'a material or an item', next: () => products({ q: pick([word(materials), word(items)]) }) },
    { name: 'a pattern or a mill', next: () => products({ q: word(places) }) },
    { name: 'material and item', next: () => products({ q: `${word(materials)} ${word(items)}` }) },
    {
      name: 'look, material and item',
      next: () => products({ q: `${word(looks)} ${word(materials)} ${word(items)}`, sort: 'price' }),
    },
    {
      name: 'item in a category, in stock',
      next: () => products({ q: word(items), category: category(), inStock: 'true', sort: 'price' }),
    },
    { name: 'phrase and item', next: () => products({ q: `"${pick(vocabulary.uses)}" ${word(items)}` }) },
    { name: 'article number', next: () => products({ q: String(1 + below(size)).padStart(7, '0') }) },
  ]
  const orders: Shape[] = [1, 3, 10].map((lines) => ({
    name: `${lines} ${lines === 1 ? 'line' : 'lines'}`,
    next: () => order(lines),
  }))
  return [
    { name: 'List', status: 200, shapes: lists },
    { name: 'Search', status: 200, shapes: searches },
    { name: 'Order', status: 201, shapes: orders },
  ]
}
