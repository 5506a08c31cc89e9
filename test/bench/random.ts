/** A small generator with a seed (mulberry32): every run asks the same. */
export const createRandom = (seed: number) => {
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(random() * n)
  return {
    below,
    pick: <T>(items: readonly T[]): T => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('There is nothing to pick from')
      return item
    },
    /** By Zipf's law, as the catalogue is filled: the first most often. */
    zipf: (n: number): number => Math.floor((n + 1) ** random()) - 1,
  }
}
