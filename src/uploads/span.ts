import { isUuid } from '../shared/ids.ts'
import type { prefixes } from './keys.ts'

/** An object of a listing. */
type Listed = { key: string; uploaded: Date }

export type Prefix = (typeof prefixes)[number]

/** A key of a listing and the upload that it belongs to, null when it is none of ours. */
type ListedKey = { key: string; uploadId: string | null; isOld: boolean }

/** A part of a listing: every key of the uploads with ids from `from` to below `before` is among `listed`. */
export type Span = {
  prefix: Prefix
  listed: readonly ListedKey[]
  from: string | undefined
  before: string | undefined
}

/** No upload is before this one. */
const none = '00000000-0000-0000-0000-000000000000'

const idOf = (prefix: Prefix, key: string): string | null => {
  const [id = '', ...rest] = key.slice(prefix.length).split('/')
  const isOurs = isUuid(id) && id === id.toLowerCase() && (rest.length === 0) === (prefix === 'quarantine/')
  return isOurs ? id : null
}

/**
 * Makes spans of the pages of a listing. A page may end between two keys of the same upload: those it has go over to the
 * next span, and the upload's turn with them. `begin`, for a listing that does not begin at its beginning, is the upload
 * that its first span begins with.
 */
export const createSpans = (prefix: Prefix, bornBefore: Date, begin?: string) => {
  let carried: ListedKey[] = []
  let from = begin

  return (objects: readonly Listed[], isLast: boolean): Span => {
    const fresh = objects.map(({ key, uploaded }) => ({
      key,
      uploadId: idOf(prefix, key),
      isOld: uploaded < bornBefore,
    }))
    const listed = [...carried, ...fresh]
    const last = fresh.findLast(({ uploadId }) => uploadId !== null)?.uploadId
    const before = isLast ? undefined : (last ?? from ?? none)
    const span = { prefix, listed, from, before }
    // Not old any more: whether they are of use was asked already.
    carried = listed
      .filter(({ uploadId }) => uploadId !== null && uploadId === before)
      .map((one) => ({ ...one, isOld: false }))
    from = before
    return span
  }
}
