import pg from 'pg'
import { dueSlots } from '../../src/jobs/schedule.ts'
import { newId } from '../../src/shared/ids.ts'

/**
 * The first minute of a new stack writes yesterday's report: work, mails and notices in the midst of whatever is measured.
 * As if somebody had decided that it is not wanted.
 */
export const forgoFirstReport = async (databaseUrl: string): Promise<void> => {
  const jobs = dueSlots(new Date()).map((slot) => ({ ...slot, id: newId() }))
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(
      `insert into jobs (id, type, payload, slot_key, request_id, state, finished_at, relay_at)
        select id, type, payload, key, 'forgone', 'discarded', now(), now()
        from json_to_recordset($1) as slot(id uuid, type text, payload jsonb, key text)
        on conflict (slot_key) where slot_key is not null do nothing`,
      [JSON.stringify(jobs)],
    )
  } finally {
    await client.end()
  }
}
