import { expect, it } from 'vitest'
import { createOutlet } from './outlet.ts'
import { createQuota } from './quota.ts'

const kilobyte = 1_024

it('asks after each 256 KB, and gives up when 1 MB more is unanswered', () => {
  const outlet = createOutlet()
  const said = Array.from({ length: 1_400 }, () => outlet.sent(kilobyte))
  expect(said.indexOf(1)).toBe(255)
  expect(said.indexOf(2)).toBe(511)
  expect(said.indexOf('slow')).toBe(255 + 1_024 + 1)
})

it('never gives up on one who answers, also a little late, and after a sleep', () => {
  let outlet = createOutlet()
  let open: number[] = []
  for (let n = 0; n < 20_000; n++) {
    const said = outlet.sent(kilobyte)
    expect(said).not.toBe('slow')
    if (typeof said === 'number') open.push(said)
    if (open.length > 2) {
      outlet.answered(open[1] ?? 0)
      open = open.slice(2)
    }
    if (n % 777 === 0) outlet = createOutlet(outlet.state())
  }
  expect(outlet.isOpen()).toBe(open.length === 0)
})

it('takes an answer to a question that was never asked for none', () => {
  const outlet = createOutlet()
  for (let n = 0; n < 300; n++) outlet.sent(kilobyte)
  outlet.answered(0)
  expect(outlet.isOpen()).toBe(false)
  outlet.answered(99)
  expect(outlet.isOpen()).toBe(true)
})

it('admits so many in any window, and says how long to wait', () => {
  const quota = createQuota({ points: 20, duration: 10 })
  for (let n = 0; n < 20; n++) expect(quota.take('ada', n * 100)).toBe(0)
  expect(quota.take('ada', 2_000)).toBe(8_000)
  expect(quota.take('bob', 2_000)).toBe(0)
  expect(quota.take('ada', 9_999)).toBe(1)
  expect(quota.take('ada', 10_000)).toBe(0)
  expect(quota.take('ada', 10_000)).toBe(100)
})
