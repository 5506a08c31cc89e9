import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase, type LocalDatabase } from '../../dev/database.ts'
import { migrate } from '../../dev/migrate.ts'
import { createDatabase } from '../../src/db/client.ts'
import { createMailer } from '../../src/mail/mailer.ts'
import { createMailRepository } from '../../src/mail/repository.ts'
import { createMailService } from '../../src/mail/service.ts'
import { eventTypes } from '../../src/mail/status.ts'
import { renderLetter } from '../../src/mail/templates/render.ts'
import { newId } from '../../src/shared/ids.ts'
import { createLogger } from '../../src/shared/logger.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { startResend } from '../support/resend.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'

const postgres = await startPostgres()

if ('unavailable' in postgres) {
  skipOrFail('mails that race, on a real PostgreSQL', postgres.unavailable)
} else {
  describe('mails that race', () => {
    let endpoint: LocalDatabase
    let resend: Awaited<ReturnType<typeof startResend>>
    let client: pg.Client
    beforeAll(async () => {
      await migrate(postgres.url)
      endpoint = await openDatabase({ databaseUrl: postgres.url, dataDir: '' })
      resend = await startResend()
      client = new pg.Client({ connectionString: postgres.url })
      await client.connect()
    })
    afterAll(async () => {
      await client.end()
      await resend.close()
      await endpoint.close()
      await postgres.stop()
    })

    const service = () => {
      const log = createLogger({ level: 'error', pretty: false })
      const settings = { databaseUrl: postgres.url, fetchEndpoint: endpoint.fetchEndpoint, timeoutMs: 10_000 }
      return createMailService({
        deliveries: createMailRepository(createDatabase(settings, { log, meter: newMeter() })),
        mailer: createMailer({ apiKey: 're_dev', baseUrl: resend.url, from: 'mail@selvedge.test' }),
        settings: { webhookSecret: '', opsEmail: undefined, appUrl: 'https://shop.selvedge.test' },
        render: renderLetter,
        tokenOf: () => '',
        log,
      })
    }

    const newOrder = async () => {
      const [userId, orderId] = [newId(), newId()]
      const [categoryId, productId] = [newId(), newId()]
      await client.query(
        `insert into users (id, name, email, password_hash, role) values ($1::uuid, 'Ada', $1::uuid || '@people.example', 'x', 'user')`,
        [userId],
      )
      await client.query(
        `insert into categories (id, name, slug) values ($1::uuid, 'Linen', 'c-' || $1::uuid)`,
        [categoryId],
      )
      await client.query(
        `insert into products (id, name, slug, description, price, stock, category_id)
          values ($1::uuid, 'Towel', 'p-' || $1::uuid, '', 1, 1, $2)`,
        [productId, categoryId],
      )
      await client.query(`insert into orders (id, user_id, status, total) values ($1, $2, 'paid', 1)`, [
        orderId,
        userId,
      ])
      await client.query(
        `insert into order_items (order_id, position, product_id, name, quantity, unit_price)
          values ($1, 0, $2, 'Towel', 1, 1)`,
        [orderId, productId],
      )
      return { userId, orderId }
    }

    const run = async (orderId: string, id: string) =>
      await service().send(
        { template: 'orderConfirmed', orderId },
        { id, requestId: 'request-1', traceparent: undefined, signal: new AbortController().signal },
      )

    const deliveryOf = async (jobId: string) =>
      (await client.query('select status, recipient from mail_deliveries where job_id = $1', [jobId])).rows

    it('leave once when twenty consumers run the same job', async () => {
      const { orderId } = await newOrder()
      const id = newId()
      await Promise.all(Array.from({ length: 20 }, async () => await run(orderId, id)))
      expect(resend.mails().filter(({ key }) => key === id)).toHaveLength(1)
      expect(await deliveryOf(id)).toMatchObject([{ status: 'sent' }])
    })

    it('do not keep the address of an account whose deletion is about to commit', async () => {
      const { userId, orderId } = await newOrder()
      const id = newId()
      await client.query('begin')
      await client.query(
        `update users set email = id || '@deleted.invalid', deleted_at = now() where id = $1`,
        [userId],
      )
      await client.query('update mail_deliveries set recipient = null where user_id = $1', [userId])
      const running = run(orderId, id)
      await Promise.race([running, sleep(500)])
      await client.query('commit')
      await running
      expect(await deliveryOf(id)).toEqual([{ status: 'no_recipient', recipient: null }])
      expect(resend.mails().filter(({ key }) => key === id)).toEqual([])
    })

    it('end where their latest event leads when all events come at once, each twice', async () => {
      const { orderId } = await newOrder()
      const id = newId()
      await run(orderId, id)
      const [mail] = resend.mails().filter(({ key }) => key === id)
      const told = [...eventTypes, ...eventTypes].map(async (type) => {
        const data = { email_id: mail?.id ?? '', bounce: { type: 'Permanent' } }
        return await service().record(`${id} ${type}`, { type, created_at: new Date(), data })
      })
      const outcomes = (await Promise.all(told)).map(({ outcome }) => outcome)
      expect(outcomes.filter((outcome) => outcome === 'recorded')).toHaveLength(eventTypes.length)
      expect(outcomes.filter((outcome) => outcome === 'repeated')).toHaveLength(eventTypes.length)
      expect(await deliveryOf(id)).toMatchObject([{ status: 'complained' }])
    })
  })
}
