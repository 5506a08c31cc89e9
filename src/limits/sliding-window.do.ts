import { DurableObject } from 'cloudflare:workers'
import type { Limit, Taken } from './store-port.ts'
import { createWindows, type Change, type Page } from './window.ts'

/** What an object keeps longer than it must, so that the alarm of a busy key is rare. Milliseconds. */
const linger = 60_000

const nameOf = ({ policy, number }: Change): string => `page/${policy}/${number}`

/**
 * The counters of one key (an address, an account): a shell that loads, saves and deletes what window.ts decides. Every
 * admission is on disk before its caller hears of it. Messages and replies only ever gain optional fields: during a
 * deploy the caller may be older or newer than the object.
 */
export class SlidingWindow extends DurableObject<Env> {
  #windows = createWindows([...this.ctx.storage.kv.list<Page>({ prefix: 'page/' })].map(([, page]) => page))
  #hasAlarm = false

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    // Asked rather than assumed: an alarm whose retries have all failed is gone, and its rows are still there.
    void context.blockConcurrencyWhile(async () => {
      this.#hasAlarm = (await context.storage.getAlarm()) !== null
    })
  }

  /** One call decides all policies of the key. */
  async take({ limits }: { limits: Limit[] }): Promise<Taken> {
    const { taken, changes } = this.#windows.take(limits, Date.now())
    this.#save(changes)
    if (taken.admitted && !this.#hasAlarm) await this.#setAlarm()
    return taken
  }

  giveBack({ policies, at }: { policies: string[]; at: number }): void {
    this.#save(this.#windows.giveBack(policies, at))
  }

  /** Deletes everything once nothing counts any more. What throws is tried again by the platform, and by the next take. */
  override async alarm(): Promise<void> {
    this.#hasAlarm = false
    if (this.#windows.emptyAt() > Date.now()) return await this.#setAlarm()
    this.#windows = createWindows()
    await this.ctx.storage.deleteAll()
  }

  #save(changes: Change[]): void {
    const { kv } = this.ctx.storage
    for (const change of changes) {
      if (change.page === undefined) kv.delete(nameOf(change))
      else kv.put(nameOf(change), change.page)
    }
  }

  async #setAlarm(): Promise<void> {
    this.#hasAlarm = true
    await this.ctx.storage.setAlarm(this.#windows.emptyAt() + linger)
  }
}
