import { describe, expect, it } from 'vitest'
import { dueSlots } from './schedule.ts'

const alert = { jobId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11', type: 'x', failures: 1, error: null }
const daily = {
  name: 'daily',
  cron: '0 2 * * *',
  job: (moment: Date) => ({ type: 'ops.alert' as const, payload: { ...alert, error: moment.toISOString() } }),
}
const keysAt = (now: string) => dueSlots(new Date(now), [daily]).map(({ key }) => key)

describe('slots of a schedule', () => {
  it('are the last seven moments that have come, in UTC', () => {
    const keys = keysAt('2026-11-20T02:00:00.500Z')
    expect(keys).toHaveLength(7)
    expect(keys.toSorted().at(-1)).toBe('daily 2026-11-20T02:00:00.000Z')
    expect(keys.toSorted().at(0)).toBe('daily 2026-11-14T02:00:00.000Z')
  })

  it('begin at the very moment, and not before', () => {
    expect(keysAt('2026-11-20T02:00:00.000Z')).toContain('daily 2026-11-20T02:00:00.000Z')
    expect(keysAt('2026-11-20T01:59:59.000Z')).not.toContain('daily 2026-11-20T02:00:00.000Z')
  })

  it('have the same key whoever looks and whenever', () => {
    expect(keysAt('2026-11-20T02:00:01.000Z')).toEqual(keysAt('2026-11-20T23:59:00.000Z'))
  })

  it('carry the job of their moment', () => {
    for (const { key, payload } of dueSlots(new Date('2026-11-20T12:00:00.000Z'), [daily])) {
      expect(payload).toMatchObject({ error: key.replace('daily ', '') })
    }
  })
})
