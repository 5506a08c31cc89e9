import type { Name } from '../letter.ts'

/** A moment or a day as people write it: 20 November 2026, in UTC. */
export const day = (iso: string): string =>
  new Date(iso).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' })

/** Decimal text times a count, in whole cents: no float ever holds money. */
export const lineTotal = (unitPrice: string, quantity: number): string => {
  const [whole = '0', fraction = ''] = unitPrice.split('.')
  const cents = BigInt(whole + fraction.padEnd(2, '0').slice(0, 2)) * BigInt(quantity)
  const digits = String(cents).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** How a mail begins. */
export const greeting = (name: Name): string => (name === null ? 'Good day' : `Dear ${name}`)

/** On one line, and at most 80 characters of it: its beginning and its end. */
export const shortened = (text: string): string => {
  const characters = Array.from(text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim())
  return characters.length <= 80
    ? characters.join('')
    : [...characters.slice(0, 59), '…', ...characters.slice(-20)].join('')
}
