export type ByteRange = { offset: number; length: number }

/**
 * The one range that a `Range` header asks for (RFC 9110, section 14). Undefined where the header is to be ignored:
 * another unit, several ranges, or not well formed.
 */
export const byteRangeOf = (
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined => {
  const [, from = '', to = ''] = /^\s*bytes\s*=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '') ?? []
  if (from === '' && to === '') return undefined
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length }
  }
  const [offset, last] = [Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1)]
  if (to !== '' && Number(to) < offset) return undefined
  return offset >= size ? 'unsatisfiable' : { offset, length: last - offset + 1 }
}
