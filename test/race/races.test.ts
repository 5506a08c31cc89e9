import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { brokenRules, deadlocks } from './checks.ts'
import {
  attachAndDelete,
  bringAndDelete,
  mixedTrade,
  mutualDemotion,
  rushForOneProduct,
} from './scenarios.ts'
import { createDatabase, openWorld, type OpenWorld } from './world.ts'

const postgres = await startPostgres()

const isFull = process.env['SELVEDGE_PROOF'] === 'full'
const [rush, trade, cancels, rounds] = isFull ? [1_000, 2_000, 300, 50] : [400, 600, 90, 30]
const files = isFull ? 100 : 40

/** Each guard that the suite relies on, taken out; the constraints behind them are dropped too. */
const withoutGuards: Mutation[] = [
  {
    file: 'src/orders/repository.ts',
    remove: 'lockProducts(sql`select "productId" from ${wanted}`),',
    put: 'undefined,',
  },
  {
    file: 'src/orders/repository.ts',
    remove: "with before as (select id, status from orders where id = ${id} and status <> 'cancelled'),",
    put: 'with before as (select id, status from orders where id = ${id}),',
  },
  {
    file: 'src/uploads/repository.ts',
    remove: 'sql`select from uploads where ${mine} for update`,',
    put: 'undefined,',
  },
  { file: 'src/users/repository.ts', remove: 'demotes ? lockAdmins : undefined,', put: 'undefined,' },
]
const withoutConstraints = `
  alter table products drop constraint products_stock_check;
  alter table order_status_history drop constraint order_status_history_once;
  drop index stock_movements_once;
  alter table product_images drop constraint product_images_upload_id_uploads_id_fk;
  alter table conversation_files drop constraint conversation_files_upload_id_uploads_id_fk;`

if ('unavailable' in postgres) {
  skipOrFail('races on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe('on a real PostgreSQL, through the Worker', () => {
    // A copy, so that an edit of the source during the run reloads nothing.
    const copy = makeMutant([])
    let world: OpenWorld
    beforeAll(async () => {
      world = await openWorld(postgres.url, copy.folder)
    })
    afterAll(async () => {
      await world.close()
      copy.remove()
    })

    it(`sells exactly 100 of 100 pieces to ${rush} simultaneous orders`, async () => {
      const { statuses, remaining } = await rushForOneProduct(world, { orders: rush, stock: 100 })
      expect(statuses).toEqual({ 201: 100, 409: rush - 100 })
      expect(remaining).toBe(0)
      expect(await brokenRules(world.database)).toEqual([])
    })

    it(`keeps stock, ledger and totals in agreement through ${trade} mixed orders and ${cancels} doubled cancels`, async () => {
      const { placed, cancelled } = await mixedTrade(world, { orders: trade, cancels, products: 20 })
      expect(Object.keys(placed).filter((status) => !['201', '409'].includes(status))).toEqual([])
      expect(placed[201]).toBeGreaterThan(trade / 4)
      expect(cancelled).toEqual({ 200: 2 * cancels })
      expect(await brokenRules(world.database)).toEqual([])
      expect(await deadlocks(world.database)).toBe(0)
    })

    it(`deletes no file that a product got at the same moment, in each of ${files} rounds`, async () => {
      const { outcomes, dangling } = await attachAndDelete(world, { files })
      expect(dangling).toBe(0)
      const { '200 409': shown = 0, '422 204': deleted = 0, ...others } = outcomes
      expect(others).toEqual({})
      expect(shown + deleted).toBe(files)
      expect(await deadlocks(world.database)).toBe(0)
    })

    it('deletes no file that was brought into a conversation at the same moment, in each of 100 rounds', async () => {
      const { outcomes, dangling } = await bringAndDelete(world, { files: 100 })
      expect(dangling).toBe(0)
      const { '200 409': brought = 0, '404 204': deleted = 0, ...others } = outcomes
      expect(others).toEqual({})
      expect(brought + deleted).toBe(100)
      expect(await deadlocks(world.database)).toBe(0)
    })

    // The last: it takes the role of the administrator of the others.
    it(`leaves one administrator in each of ${rounds} rounds of two who demote each other`, async () => {
      const { left, statuses } = await mutualDemotion(world, { rounds })
      expect(left).toEqual({ 1: rounds })
      expect(statuses[200]).toBe(rounds)
    })
  })

  describe('with its guards taken out, as a control of the checks above', () => {
    const mutant = makeMutant(withoutGuards)
    let world: OpenWorld
    beforeAll(async () => {
      world = await openWorld(await createDatabase(postgres.url, 'control'), mutant.folder)
      await world.database.query(withoutConstraints)
    })
    afterAll(async () => {
      await world.close()
      mutant.remove()
    })

    it('oversells without the lock', async () => {
      const { statuses, remaining } = await rushForOneProduct(world, { orders: 200, stock: 100 })
      expect(statuses[201]).toBeGreaterThan(100)
      expect(remaining).toBeLessThan(0)
    })

    it('restocks twice when a cancelled order may be cancelled again', async () => {
      await mixedTrade(world, { orders: 60, cancels: 15, products: 20 })
      expect((await brokenRules(world.database)).join()).toContain('initial stock is not what remains')
    })

    it('deletes files that products show, without the lock of the one who deletes', async () => {
      const { dangling } = await attachAndDelete(world, { files })
      expect(dangling).toBeGreaterThan(0)
    })

    it('and such that conversations have', async () => {
      const { dangling } = await bringAndDelete(world, { files: 100 })
      expect(dangling).toBeGreaterThan(0)
    })

    it('loses both administrators without their lock', async () => {
      const { left } = await mutualDemotion(world, { rounds })
      expect(left[0]).toBeGreaterThan(0)
    })
  })
}
