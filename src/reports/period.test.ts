import { expect, it } from 'vitest'
import { daysOf, daysUntil, momentText, periodText, shortDay } from './period.ts'

it('counts days over the change of years and leap days', () => {
  expect(daysOf({ from: '2026-11-19', to: '2026-11-19' })).toBe(1)
  expect(daysOf({ from: '2024-01-01', to: '2024-12-31' })).toBe(366)
  expect(daysOf({ from: '0001-01-01', to: '0001-01-02' })).toBe(2)
})

it('names the days before a day', () => {
  expect(daysUntil('2026-03-01', 3)).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
})

it('writes days for people', () => {
  expect(periodText({ from: '2026-11-19', to: '2026-11-19' })).toBe('Thursday, 19 November 2026')
  expect(periodText({ from: '2026-11-01', to: '2026-11-19' })).toBe('1 November 2026 – 19 November 2026')
  expect(shortDay('2026-11-09')).toBe('9 Nov')
  expect(momentText('2026-11-20T02:00:13.456Z')).toBe('20 November 2026, 02:00:13 UTC')
})
