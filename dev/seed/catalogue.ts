import type { Faker } from '@faker-js/faker'

type Range = {
  name: string
  /** Each item with its lowest and highest price in whole euros. */
  items: Record<string, [number, number]>
  uses: string[]
  materials?: string[]
  cares?: string[]
}

const woven = [
  'linen',
  'washed linen',
  'organic cotton',
  'wool',
  'hemp',
  'half-linen',
  'recycled cotton',
  'merino',
]
const washing = ['Wash at 40 °C.', 'Wash cold, dry flat.', 'Machine washable.', 'Softer with every wash.']
const looks = [
  'Natural',
  'Indigo',
  'Undyed',
  'Striped',
  'Checked',
  'Herringbone',
  'Sage',
  'Madder red',
  'Charcoal',
  'Ecru',
]
const makings = [
  'Woven slowly on shuttle looms.',
  'Finished at the edges, so that nothing unravels.',
  'Made in small runs by a family mill.',
  'Dyed with plants and set with care.',
]

/** The eight categories of a shop for woven goods. */
export const ranges: Range[] = [
  {
    name: 'Table linen',
    items: { tablecloth: [59, 149], 'table runner': [24, 59], 'napkin set': [18, 48], placemat: [9, 19] },
    uses: ['for the long table', 'for every day', 'for a table of six'],
  },
  {
    name: 'Bed linen',
    items: {
      'duvet cover': [89, 249],
      pillowcase: [19, 49],
      'fitted sheet': [59, 139],
      bedspread: [119, 249],
    },
    uses: ['for warm nights', 'for a double bed', 'that breathes'],
  },
  {
    name: 'Kitchen textiles',
    items: { 'tea towel': [8, 19], apron: [29, 59], 'oven mitt': [14, 29], 'dish cloth set': [9, 24] },
    uses: ['for busy kitchens', 'with a loop to hang it', 'for glass and silver'],
  },
  {
    name: 'Bath',
    items: { 'bath towel': [29, 69], 'hand towel': [12, 29], 'bath mat': [29, 59], bathrobe: [89, 169] },
    uses: ['that dries fast', 'with a waffle weave', 'for bath and beach'],
  },
  {
    name: 'Clothing',
    items: {
      'work shirt': [79, 149],
      scarf: [35, 95],
      overshirt: [119, 189],
      socks: [12, 24],
      beanie: [24, 45],
    },
    uses: ['cut straight', 'for cold mornings', 'made to be mended'],
  },
  {
    name: 'Fabric by the metre',
    items: { canvas: [14, 29], twill: [16, 34], 'plain weave': [12, 28], gauze: [9, 19], ticking: [15, 29] },
    uses: ['150 cm wide', 'with a true selvedge', 'preshrunk'],
  },
  {
    name: 'Yarn and thread',
    items: {
      'sewing thread': [3, 7],
      'weaving yarn': [12, 29],
      'darning yarn': [4, 9],
      'warp cone': [24, 49],
    },
    uses: ['on a wooden spool', 'for fine mending', 'that does not fray'],
  },
  {
    name: 'Tools',
    items: {
      shears: [39, 129],
      shuttle: [24, 59],
      'needle case': [9, 29],
      'tape measure': [12, 24],
      'hand loom': [149, 299],
    },
    uses: ['made to be repaired', 'that lasts a working life', 'for workshop and travel'],
    materials: ['steel', 'brass', 'oiled beech', 'olive wood', 'walnut', 'bone', 'ash'],
    cares: ['Wipe clean.', 'Oil once a year.'],
  },
]

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

export type SeedProduct = { name: string; description: string; price: string; category: number }

const makeProduct = (faker: Faker, category: number, range: Range): SeedProduct => {
  const pick = faker.helpers.arrayElement
  const { items, uses, materials = woven, cares = washing } = range
  const [item, [min, max]] = pick(Object.entries(items))
  const material = pick(materials)
  return {
    name: `${pick(looks)} ${material} ${item}`,
    description: `${capitalised(item)} of ${material}, ${pick(uses)}. ${pick(makings)} ${pick(cares)}`,
    price: `${faker.number.int({ min, max })}.${pick(['00', '50', '90'])}`,
    category,
  }
}

/** `count` products with names that differ, spread evenly over the categories. */
export const makeProducts = (faker: Faker, count: number): SeedProduct[] => {
  const products = new Map<string, SeedProduct>()
  while (products.size < count) {
    const category = products.size % ranges.length
    const range = ranges[category]
    const product = range && makeProduct(faker, category, range)
    if (product !== undefined && !products.has(product.name)) products.set(product.name, product)
  }
  return [...products.values()]
}
