import { isUuid } from '../shared/ids.ts'
import type { VariantName } from './variant.ts'

/** Where objects of uploads are; reports lie beside them. */
export const prefixes = ['quarantine/', 'files/'] as const

/** What came in, until it is scanned and made into variants. Nothing under here is ever served. */
export const quarantineKey = (id: string): string => `quarantine/${id}`

/** The upload whose quarantined object has this key; undefined of any other text. */
export const uploadIdIn = (key: string): string | undefined => {
  const id = key.slice(prefixes[0].length)
  return isUuid(id) && key === quarantineKey(id).toLowerCase() ? id : undefined
}

/** `run` is of one run of the job: one that is late or doubled never writes over another's object. */
export const variantKey = (id: string, variant: VariantName, run: string): string =>
  `files/${id}/${variant}/${run}`

/** All variants of all runs. */
export const variantsPrefix = (id: string): string => `files/${id}/`
