/** Admitted requests by day (UTC), such as 2026-11-19, and how many of them the database was told of. */
export type Tally = {
  days: Record<string, { requests: number; told: number }>
  /** Unix milliseconds. */
  lastUsedAt: number | undefined
}

export const emptyTally: Tally = { days: {}, lastUsedAt: undefined }

/** What the database is told: totals of days, so that to tell them twice counts nothing twice. */
export type Totals = { days: { day: string; requests: number }[]; lastUsedAt: number }

const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10)

export const count = ({ days }: Tally, now: number): Tally => {
  const day = dayOf(now)
  const { requests, told } = days[day] ?? { requests: 0, told: 0 }
  return { days: { ...days, [day]: { requests: requests + 1, told } }, lastUsedAt: now }
}

/** Undefined when there is nothing new. */
export const totalsOf = ({ days, lastUsedAt }: Tally): Totals | undefined => {
  const untold = Object.entries(days).flatMap(([day, { requests, told }]) =>
    requests > told ? [{ day, requests }] : [],
  )
  return untold.length === 0 || lastUsedAt === undefined ? undefined : { days: untold, lastUsedAt }
}

/** After these were told. A day that is over and told is forgotten; today's total has to stay, for it grows. */
export const afterTelling = (tally: Tally, { days: told }: Totals, now: number): Tally => {
  const days = { ...tally.days }
  for (const { day, requests } of told) {
    const before = days[day]
    if (before !== undefined) days[day] = { ...before, told: Math.max(before.told, requests) }
  }
  const today = dayOf(now)
  const kept = Object.entries(days).filter(([day, one]) => day >= today || one.requests > one.told)
  return { ...tally, days: Object.fromEntries(kept) }
}

/** Unix milliseconds: when its last day is over; -Infinity when there is none. */
export const endOf = ({ days }: Tally): number =>
  Math.max(-Infinity, ...Object.keys(days).map((day) => Date.parse(day) + 86_400_000))
