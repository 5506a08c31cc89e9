/** A place in parsed JSON, linked to its parent so that deep nesting costs no copies. */
type Place = { key: string; parent: Place | undefined }

const pathOf = (place: Place | undefined): string[] => {
  const path: string[] = []
  for (let at = place; at !== undefined; at = at.parent) path.push(at.key)
  return path.reverse()
}

/** PostgreSQL's text holds neither U+0000 nor half a surrogate pair. */
const isStorable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed()

/** At most `length` code units of a text as PostgreSQL can store it: what it could not is replaced visibly. */
export const storableText = (text: string, length: number): string =>
  text.slice(0, length).toWellFormed().replaceAll('\u0000', '\uFFFD')

/**
 * The path of the first string (or the parent of the first key) in parsed JSON that PostgreSQL could not store.
 * Iterative: a body of 1 MB may be nested deeper than the stack.
 */
export const findUnstorableText = (root: unknown): string[] | undefined => {
  const pending: { value: unknown; place: Place | undefined }[] = [{ value: root, place: undefined }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, place } = next
    if (typeof value === 'string' && !isStorable(value)) return pathOf(place)
    if (typeof value !== 'object' || value === null) continue
    for (const [key, child] of Object.entries(value)) {
      if (!isStorable(key)) return pathOf(place)
      pending.push({ value: child, place: { key, parent: place } })
    }
  }
  return undefined
}
