import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../dev/database.ts'
import { createApi, inParallel, type Api } from '../support/api.ts'
import { startCutter } from '../support/cutter.ts'
import { costlyControl } from '../support/costly-control.ts'
import { makeMutant } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { brokenRules } from './checks.ts'
import { addProduct } from './scenarios.ts'
import { createDatabase, openWorld, type OpenWorld } from './world.ts'

const isProof = process.env.SELVEDGE_PROOF === 'full'

const keyCount = isProof ? 200 : 40

const postgres = await startPostgres()

const ordersOf = async ({ database }: OpenWorld, productId: string): Promise<number> => {
  const { rows } = await database.query('select count(*)::int as n from order_items where product_id = $1', [
    productId,
  ])
  return rows[0].n
}

/** `times` identical orders at once under one key. Answers the bodies of those that succeeded, and the statuses. */
const atOnce = async ({ api, customers }: OpenWorld, productId: string, key: string, times: number) => {
  const body = { items: [{ productId, quantity: 1 }] }
  const token = customers[0] ?? ''
  const replies = await Promise.all(
    Array.from({ length: times }, () => api.call('POST', '/api/v1/orders', { token, body, key })),
  )
  const made = replies.filter(({ status }) => status === 201)
  return {
    bytes: new Set(made.map(({ text }) => text)),
    first: made.filter(({ headers }) => headers.get('idempotency-replayed') === null).length,
    refused: replies.filter(({ status }) => status !== 201).map(({ body: { error } }) => error.code),
  }
}

/** Asks again and again until there is an answer, as a careful client does; at most 20 times. */
const insist = async (api: Api, ask: (api: Api) => ReturnType<Api['call']>) => {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      const reply = await ask(api)
      if (reply.status < 500 && reply.status !== 409) return reply
    } catch {
      // The connection broke: whether the order was placed is just what the client cannot know.
    }
  }
  throw new Error('No answer after 20 attempts')
}

if ('unavailable' in postgres) {
  skipOrFail('idempotency on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe('an Idempotency-Key on a real PostgreSQL', () => {
    const copy = makeMutant([])
    let world: OpenWorld
    beforeAll(async () => {
      world = await openWorld(postgres.url, copy.folder)
    })
    afterAll(async () => {
      await world.close()
      copy.remove()
    })

    it(`makes ${keyCount} orders of ${keyCount} keys sent 20 times each at once, every other answer the same bytes or 409`, async () => {
      const productId = await addProduct(world, 'Idempotent', '5.00', 10_000)
      const keys = Array.from({ length: keyCount }, (_, n) => `order-${n}`)
      const outcomes = await inParallel(5, keys, (key) => atOnce(world, productId, key, 20))
      expect(new Set(outcomes.map(({ bytes }) => bytes.size))).toEqual(new Set([1]))
      expect(new Set(outcomes.map(({ first }) => first))).toEqual(new Set([1]))
      const refused = new Set(outcomes.flatMap((outcome) => outcome.refused))
      expect([...refused].filter((code) => code !== 'IDEMPOTENCY_IN_FLIGHT')).toEqual([])
      expect(await ordersOf(world, productId)).toBe(keyCount)
    })

    it('places one order a key when replies are lost after the commit and the client asks again', async () => {
      const productId = await addProduct(world, 'Lost replies', '5.00', 10_000)
      let n = 0
      // One order may be cut more than once.
      const cut = new Set<string>()
      const cutter = await startCutter(world.api.base, ({ status, reply }) => {
        const cuts = status === 201 && (n += 1) % 20 === 0
        if (cuts) cut.add(JSON.parse(reply).data.id)
        return cuts
      })
      const keys = Array.from({ length: 300 }, (_, index) => `lost-${index}`)
      const body = { items: [{ productId, quantity: 1 }] }
      const replies = await inParallel(10, keys, (key, index) =>
        insist(createApi(cutter.url), (api) =>
          api.call('POST', '/api/v1/orders', { token: world.customers[index % 8] ?? '', body, key }),
        ),
      )
      await cutter.stop()
      expect(cut.size).toBeGreaterThan(10)
      expect(replies.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(
        cut.size,
      )
      expect(await ordersOf(world, productId)).toBe(300)
      expect(await brokenRules(world.database)).toEqual([])
    })
  })

  describe('an Idempotency-Key when the runtime dies between commit and reply', () => {
    it('replays the order that was placed', async () => {
      const url = await createDatabase(postgres.url, 'killed')
      const endpoint = await openDatabase({ databaseUrl: url, dataDir: '' })
      let world: OpenWorld | undefined
      let kill = false
      const cutter = await startCutter(endpoint.fetchEndpoint, ({ body, status }) => {
        const cuts = kill && status === 200 && body.includes('insert into order_items')
        if (cuts && world !== undefined) {
          kill = false
          const { pid, runtimePids } = world.stack.info()
          for (const runtimePid of runtimePids.filter((one) => one !== pid))
            process.kill(runtimePid, 'SIGKILL')
        }
        return cuts
      })
      const copy = makeMutant([])
      try {
        world = await openWorld(url, copy.folder, { DATABASE_FETCH_ENDPOINT: `${cutter.url}/sql` })
        const productId = await addProduct(world, 'Killed', '5.00', 100)
        const body = { items: [{ productId, quantity: 1 }] }
        const ask = (api: Api) =>
          api.call('POST', '/api/v1/orders', { token: world?.customers[0] ?? '', body, key: 'killed-1' })
        kill = true
        const lost = await ask(world.api).catch(() => undefined)
        expect(lost?.status).not.toBe(201)
        expect(kill).toBe(false)
        const reply = await insist(world.api, ask)
        expect(reply.status).toBe(201)
        expect(reply.headers.get('idempotency-replayed')).toBe('true')
        expect(await ordersOf(world, productId)).toBe(1)
      } finally {
        await world?.close()
        await cutter.stop()
        await endpoint.close()
        copy.remove()
      }
    })
  })

  describe('with its guards taken out, as a control of the checks above', () => {
    costlyControl(
      'answers the same key with several orders',
      [
        {
          file: 'src/idempotency/statements.ts',
          remove: 'where not pg_try_advisory_xact_lock(hashtextextended(${scope}, 0))',
          put: 'where hashtextextended(${scope}, 0) is null',
        },
        {
          file: 'src/idempotency/statements.ts',
          remove: 'and key = ${key} and created_at > now() - ${kept}',
          put: 'and key = ${key} and created_at > now()',
        },
      ],
      async (mutations) => {
        const mutant = makeMutant(mutations)
        const world = await openWorld(await createDatabase(postgres.url, 'unguarded'), mutant.folder)
        try {
          const productId = await addProduct(world, 'Unguarded', '5.00', 100)
          const { bytes } = await atOnce(world, productId, 'same', 20)
          expect(bytes.size).toBeGreaterThan(1)
        } finally {
          await world.close()
          mutant.remove()
        }
      },
    )
  })
}
