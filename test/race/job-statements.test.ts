import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase, type LocalDatabase } from '../../dev/database.ts'
import { migrate } from '../../dev/migrate.ts'
import { createDatabase } from '../../src/db/client.ts'
import { createJobRepository } from '../../src/jobs/repository.ts'
import { newId } from '../../src/shared/ids.ts'
import { createLogger } from '../../src/shared/logger.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'

const postgres = await startPostgres()

if ('unavailable' in postgres) {
  skipOrFail('statements about jobs, on a real PostgreSQL', postgres.unavailable)
} else {
  describe('statements about jobs', () => {
    let endpoint: LocalDatabase
    let client: pg.Client
    let other: pg.Client
    beforeAll(async () => {
      await migrate(postgres.url)
      endpoint = await openDatabase({ databaseUrl: postgres.url, dataDir: '' })
      client = new pg.Client({ connectionString: postgres.url })
      other = new pg.Client({ connectionString: postgres.url })
      await Promise.all([client.connect(), other.connect()])
    })
    afterAll(async () => {
      await Promise.all([client.end(), other.end()])
      await endpoint.close()
      await postgres.stop()
    })
    beforeEach(() => client.query('truncate jobs cascade'))

    const repository = () => {
      const log = createLogger({ level: 'error', pretty: false })
      const settings = { databaseUrl: postgres.url, fetchEndpoint: endpoint.fetchEndpoint, timeoutMs: 10_000 }
      return createJobRepository(createDatabase(settings, { log, meter: newMeter() }))
    }

    // Its clock tells microseconds, and columns keep milliseconds: half of all moments are rounded up.
    it('a lost job is sent again by the sweep that finds it', async () => {
      const jobs = repository()
      for (let n = 0; n < 20; n++) {
        const id = newId()
        await client.query(
          `insert into jobs (id, type, payload, request_id, relay_at, state, attempt, lease_until)
            values ($1, 'ops.alert', '{}', 'request-1', now(), 'running', 1, now() - interval '1 second')`,
          [id],
        )
        expect((await jobs.sweep()).relayed).toEqual([id])
      }
    })

    it('a job that is retried while it is purged stays', async () => {
      const id = newId()
      await client.query(
        `insert into jobs (id, type, payload, request_id, relay_at, state, finished_at)
          values ($1, 'ops.alert', '{}', 'request-1', now(), 'dead', now() - interval '91 days')`,
        [id],
      )
      await other.query('begin')
      await other.query(`update jobs set state = 'pending', finished_at = null where id = $1`, [id])
      const purged = repository().purgeExpired()
      const blocked = `select from pg_stat_activity where wait_event_type = 'Lock'`
      await expect.poll(async () => (await client.query(blocked)).rowCount, { timeout: 5_000 }).toBe(1)
      await other.query('commit')
      expect(await purged).toBe(0)
      expect((await client.query('select from jobs')).rowCount).toBe(1)
    })
  })
}
