/** Days of the calendar in UTC, such as 2026-11-19, both inclusive. */
export type Period = { from: string; to: string }

/** A leap year: what one report may cover. */
export const maxDays = 366

/** Days that the curve of revenue covers, ending with the period. */
export const curveDays = 30

const day = 24 * 60 * 60 * 1_000

export const daysOf = ({ from, to }: Period): number => (Date.parse(to) - Date.parse(from)) / day + 1

/** The `count` days that end with `last`, oldest first. */
export const daysUntil = (last: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) =>
    new Date(Date.parse(last) - (count - 1 - n) * day).toISOString().slice(0, 10),
  )

/** Made when first used: a formatter takes milliseconds, which every start of the Worker would wait for. */
const format = (options: Intl.DateTimeFormatOptions) => {
  let formatter: Intl.DateTimeFormat | undefined
  return (when: string): string => {
    formatter ??= new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...options })
    return formatter.format(new Date(when))
  }
}

const longDay = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
const plainDay = format({ day: 'numeric', month: 'long', year: 'numeric' })

/** `21 Oct` */
export const shortDay = format({ day: 'numeric', month: 'short' })

/** `Thursday, 19 November 2026`, or `1 November 2026 – 19 November 2026` */
export const periodText = ({ from, to }: Period): string =>
  from === to ? longDay(from).replace(/^(\w+) /, '$1, ') : `${plainDay(from)} – ${plainDay(to)}`

/** `20 November 2026, 02:00:13 UTC` */
export const momentText = (when: string): string => `${plainDay(when)}, ${when.slice(11, 19)} UTC`
