import { z } from 'zod'
import { prefixes } from './keys.ts'

/** Where a sweep was: the last key that it looked at, and the upload that its next span begins with. */
const Place = z.object({ prefix: z.enum(prefixes), after: z.string(), from: z.uuid().optional() })

export type Place = z.infer<typeof Place>

/** The binding to R2, as far as it is used here. */
type Bucket = {
  get: (key: string) => Promise<{ text: () => Promise<string> } | null>
  put: (key: string, text: string) => Promise<unknown>
  delete: (key: string) => Promise<void>
}

const key = 'sweep/place'

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export type SweepPlace = ReturnType<typeof createSweepPlace>

/** Kept beside what it is about. What cannot be understood is no place: the next sweep begins at the beginning. */
export const createSweepPlace = (bucket: Bucket) => ({
  async read(): Promise<Place | undefined> {
    const object = await bucket.get(key)
    return object === null ? undefined : Place.safeParse(parsed(await object.text())).data
  },

  async write(place: Place | undefined): Promise<void> {
    if (place === undefined) await bucket.delete(key)
    else await bucket.put(key, JSON.stringify(place))
  },
})
