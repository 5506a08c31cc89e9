import { DurableObject } from 'cloudflare:workers'
import { readConfig } from '../config.ts'
import { createDatabase } from '../db/client.ts'
import { createWindows, type Change, type Page } from '../limits/window.ts'
import { describeError } from '../shared/describe-error.ts'
import { sharedLogger } from '../shared/logger.ts'
import { newMeter } from '../shared/meter.ts'
import { createKeeper, nothingKept, type Kept } from './keeper.ts'
import { createKeyRecordRepository } from './key-record-repository.ts'
import type { Admission, Admit } from './protocol.ts'
import { afterTelling, count, emptyTally, endOf, totalsOf, type Tally } from './usage.ts'

/** Milliseconds between two words to the database about the use of a key that is in use. */
const tellEvery = 60_000

const start = (env: Env) => {
  const config = readConfig(env)
  const log = sharedLogger({ level: config.logLevel, pretty: config.isDevelopment })
  return { config, log }
}

let started: ReturnType<typeof start> | undefined

const nameOf = ({ policy, number }: Change): string => `page/${policy}/${number}`

/**
 * One API key, named by its id: a shell over keeper.ts (what is known of the key), limits/window.ts (what it has used of
 * its limit) and usage.ts (what it has used in all), so that one call settles a request. What a caller hears is on disk.
 */
export class ApiKey extends DurableObject<Env> {
  #kv = this.ctx.storage.kv
  #windows = createWindows([...this.#kv.list<Page>({ prefix: 'page/' })].map(([, page]) => page))
  #tally = this.#kv.get<Tally>('tally') ?? emptyTally
  #keeper = this.#newKeeper(this.#kv.get<Kept>('kept') ?? nothingKept)
  /** Unix milliseconds. */
  #alarmAt = Infinity

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    // Asked rather than assumed: an alarm whose retries have all failed is gone, and its counts are still there.
    void context.blockConcurrencyWhile(async () => {
      this.#alarmAt = (await context.storage.getAlarm()) ?? Infinity
    })
  }

  /** Who it is, whether the key lives, and a point of its limit. */
  async admit({ hash, limits, requestId }: Admit): Promise<Admission> {
    const record = await this.#keeper.judge(hash)
    if (record === 'unknowable') {
      this.#log().error('API key cannot be known: the database is away', { requestId })
    }
    if (typeof record === 'string') {
      await this.#wakeBy(tellEvery)
      return { outcome: record }
    }
    const { userId, role, scopes, plan } = record
    const now = Date.now()
    // Of one name whatever the plan: what was used of one counts in the next.
    const { taken, changes } = this.#windows.take([{ name: 'key', ...limits[plan] }], now)
    this.#savePages(changes)
    if (taken.admitted) this.#saveTally(count(this.#tally, now))
    await this.#wakeBy(tellEvery)
    const [verdict] = taken.verdicts
    if (verdict === undefined) throw new Error('The window answered nothing')
    const { name: _, ...told } = verdict
    return {
      outcome: taken.admitted ? 'admitted' : 'limited',
      owner: { userId, role, scopes },
      verdict: { plan, ...told },
    }
  }

  /** The key's row, or its owner's, has changed. */
  async renew(): Promise<void> {
    await this.#keeper.renew()
    await this.#wakeBy(tellEvery)
  }

  /** The key has ended, whatever the database says from now on. */
  async revoke(): Promise<void> {
    this.#keeper.revoke()
    await this.#wakeBy(tellEvery)
  }

  /** Tells the database what was used, and deletes everything once nothing of it is needed. */
  override async alarm(): Promise<void> {
    this.#alarmAt = Infinity
    const totals = totalsOf(this.#tally)
    if (totals !== undefined) {
      try {
        await this.#records().tell(this.#keyId(), totals)
      } catch (error) {
        this.#log().warn('use of an API key not told', { error: describeError(error) })
        return await this.#wakeBy(tellEvery)
      }
      // What came in meanwhile is in the tally and not in the totals.
      this.#saveTally(afterTelling(this.#tally, totals, Date.now()))
    }
    const isBusy = totalsOf(this.#tally) !== undefined
    const idleIn = Math.max(this.#keeper.idleAt(), this.#windows.emptyAt(), endOf(this.#tally)) - Date.now()
    if (isBusy || idleIn > 0) return await this.#wakeBy(isBusy ? tellEvery : idleIn + tellEvery)
    this.#windows = createWindows()
    this.#tally = emptyTally
    this.#keeper = this.#newKeeper(nothingKept)
    await this.ctx.storage.deleteAll()
    // With the rows goes an alarm that was set meanwhile.
    this.#alarmAt = (await this.ctx.storage.getAlarm()) ?? Infinity
  }

  #newKeeper(kept: Kept) {
    return createKeeper(
      {
        load: () => this.#records().find(this.#keyId()),
        save: (changed) => this.#kv.put('kept', changed),
        after: (work) => this.ctx.waitUntil(work),
        now: Date.now,
      },
      kept,
    )
  }

  #keyId(): string {
    const { name } = this.ctx.id
    if (name === undefined) throw new Error('The object has no name')
    return name
  }

  #log() {
    return (started ??= start(this.env)).log
  }

  #records() {
    const { config, log } = (started ??= start(this.env))
    return createKeyRecordRepository(createDatabase(config.database, { log, meter: newMeter() }))
  }

  #savePages(changes: Change[]): void {
    for (const change of changes) {
      if (change.page === undefined) this.#kv.delete(nameOf(change))
      else this.#kv.put(nameOf(change), change.page)
    }
  }

  #saveTally(tally: Tally): void {
    this.#tally = tally
    this.#kv.put('tally', tally)
  }

  async #wakeBy(milliseconds: number): Promise<void> {
    const at = Date.now() + milliseconds
    if (this.#alarmAt <= at) return
    this.#alarmAt = at
    await this.ctx.storage.setAlarm(at)
  }
}
