import fc from 'fast-check'
import { expect, it } from 'vitest'
import { before, deliveryStatuses, eventStatuses, type DeliveryStatus } from './status.ts'

/** What the repository does: a later status replaces an earlier one, and nothing else changes anything. */
const apply = (is: DeliveryStatus, told: DeliveryStatus): DeliveryStatus =>
  before(told).includes(is) ? told : is

it('ends the same in whatever order events come, however often', () => {
  const events = fc.array(fc.constantFrom(...Object.values(eventStatuses)), { minLength: 1 })
  const withShuffled = events.chain((given) => {
    const doubled = [...given, ...given]
    return fc.tuple(fc.constant(given), fc.shuffledSubarray(doubled, { minLength: doubled.length }))
  })
  fc.assert(
    fc.property(withShuffled, ([given, shuffled]) => {
      const end = (told: DeliveryStatus[]) => told.reduce(apply, 'sending')
      expect(end(shuffled)).toBe(end(given))
    }),
  )
})

it.each([
  ['delivered', 'sent', 'delivered'],
  ['bounced', 'delivered', 'bounced'],
  ['delivered', 'bounced', 'bounced'],
  ['delayed', 'delivered', 'delivered'],
  ['complained', 'bounced', 'complained'],
] as const)('%s, then %s, is %s', (is, told, result) => {
  expect(apply(is, told)).toBe(result)
})

it('knows no status twice', () => {
  expect(new Set(deliveryStatuses).size).toBe(deliveryStatuses.length)
})
