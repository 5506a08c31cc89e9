import { invalid } from '../shared/errors.ts'

const maxLength = 255

/** Controls, and what turns the direction of writing round or is not seen: nobody can tell such names apart. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu

/** No part of a code point is left at the cut. */
const cut = (text: string, length: number): string => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')

/** The ending is what tells people the kind of a file: of a name that is too long it stays. */
const shortened = (name: string): string => {
  if (name.length <= maxLength) return name
  const ending = /\.[^.\s]{1,15}$/.exec(name)?.[0] ?? ''
  return cut(name, maxLength - ending.length) + ending
}

/** The name for people: of a path its last part, on one line, NFC, at most 255 characters; never empty. */
export const displayNameOf = (name: string): string => {
  const last = name.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const clean = shortened(last.replace(unseen, '').replaceAll(/\s+/g, ' ').trim())
  return /^[. ]*$/.test(clean) ? 'file' : clean
}

/** @throws VALIDATION_FAILED when X-File-Name is missing or not percent-encoded UTF-8 */
export const nameOfHeader = (header: string | undefined): string => {
  const refused = (message: string) => invalid({ field: 'X-File-Name', message })
  if (header === undefined || header === '') throw refused('is missing')
  try {
    return displayNameOf(decodeURIComponent(header))
  } catch {
    throw refused('must be percent-encoded UTF-8')
  }
}
