import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { openReportWorld } from '../support/report-world.ts'

const full = process.env['SELVEDGE_PROOF'] === 'full'

/** Every page is 5,000 orders; a list of more than 5 MiB has several parts. */
const orders = full ? 100_000 : 12_000

const mebibyte = 1024 * 1024

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** What is held and not merely waiting to be collected. */
const held = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

describe(`a report of ${orders} orders`, () => {
  let world: Awaited<ReturnType<typeof openReportWorld>>
  let most = 0
  let parts = 0

  beforeAll(async () => {
    const onPart = () => {
      parts += 1
      most = Math.max(most, held())
    }
    world = await openReportWorld({ keepsParts: false, onPart })
    const userId = newId()
    await world.client.query(
      `insert into users (id, name, email, password_hash, role) values ($1, $2, 'ada@people.example', 'x', 'user')`,
      [userId, 'Ada '.repeat(20)],
    )
    await world.client.query(
      `insert into orders (id, user_id, status, total, created_at, updated_at)
        select gen_random_uuid(), $1, case when n % 10 = 0 then 'cancelled' else 'paid' end, n / 100.0, at, at
        from generate_series(1, $2::int) as n,
          lateral (select '2026-01-01T00:00:00Z'::timestamptz + n / 2 * interval '1 second' as at) as moment`,
      [userId, orders],
    )
  })
  afterAll(() => world.close())

  it('holds at most 64 MiB more than before, and asks the database once for 5,000 orders', async () => {
    // Libraries and fonts are there before the list begins to grow.
    await world.build('2025-01-01')
    const [before, calls, partsBefore] = [held(), world.meter.calls, parts]
    most = 0
    const id = await world.build('2026-01-01', '2026-01-02')
    const { rows } = await world.client.query(
      'select status, csv_size::int as size from reports where id = $1',
      [id],
    )
    expect(rows[0].status).toBe('ready')
    expect(rows[0].size).toBeGreaterThan(orders * 150)
    expect(parts - partsBefore).toBe(Math.ceil(rows[0].size / (5 * mebibyte)))
    // take, the pages (the last one empty where it has to be), figures, complete
    expect(world.meter.calls - calls).toBe(3 + Math.floor(orders / 5_000) + 1)
    expect((most - before) / mebibyte).toBeLessThan(64)
  })

  // The measure itself: one page of everything holds more than pages do.
  if (full)
    it('would hold more without pages', async () => {
      const paged = most
      most = 0
      await world.build('2026-01-01', '2026-01-02', orders + 1)
      expect(most).toBeGreaterThan(paged + 20 * mebibyte)
    })
})
