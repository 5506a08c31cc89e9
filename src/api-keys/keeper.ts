import { opens, type Found, type KeyRecord } from './record.ts'

/** What a keeper survives an eviction with. */
export type Kept = {
  /** Rises with every word that what was loaded before may be wrong. */
  generation: number
  /** Since when the key is known to have ended, for good. */
  revokedAt: number | undefined
  loaded: { found: KeyRecord | 'missing'; at: number } | undefined
}

export const nothingKept: Kept = { generation: 0, revokedAt: undefined, loaded: undefined }

/** Milliseconds: after the first what is known is asked for again behind an answer, after the second before it. */
export const freshFor = 60_000
export const usableFor = 5 * 60_000

/** A hash that is not the record's may be of a rotation that the object was not told of: asked at most this often. */
const doubtEvery = 1_000

/** Loads that were overtaken, until the key counts as not to be known now. */
const maxLoads = 5

type Deps = {
  /** Reads the row. Other calls may come in between. */
  load: () => Promise<Found>
  /** Writes at once: what a caller hears has been kept. */
  save: (kept: Kept) => void
  /** Begins work behind the answer. */
  after: (work: Promise<unknown>) => void
  now: () => number
}

export type Judgement = KeyRecord | 'refused' | 'unknowable'

/**
 * What one key's object knows of its row, and for how long. A load takes time in which the key may be revoked: whoever
 * says so raises the generation, and a load that began before is thrown away, so that it cannot bring a dead key back.
 * A revocation that was heard of is final and outlives the object.
 */
export const createKeeper = ({ load, save, after, now }: Deps, saved: Kept = nothingKept) => {
  let kept = saved
  let underway: { generation: number; outcome: Promise<void> } | undefined

  const keep = (change: Partial<Kept>): void => {
    kept = { ...kept, ...change }
    save(kept)
  }

  const bury = (): void => keep({ revokedAt: kept.revokedAt ?? now(), loaded: undefined })

  const loadOnce = async (): Promise<void> => {
    const { generation } = kept
    const at = now()
    const found = await load()
    if (found === 'revoked') return bury()
    if (generation !== kept.generation) return
    keep({ loaded: { found, at } })
  }

  /** One load at a time and generation, however many wait for it. */
  const loadTogether = async (): Promise<void> => {
    if (underway?.generation !== kept.generation) {
      const begun = { generation: kept.generation, outcome: loadOnce() }
      underway = begun
      const ended = () => {
        if (underway === begun) underway = undefined
      }
      begun.outcome.then(ended, ended)
    }
    await underway.outcome
  }

  const ageOf = ({ loaded }: Kept): number => (loaded === undefined ? Infinity : now() - loaded.at)

  /** Loads until what is kept was loaded at `since` or later. False: it cannot be had. */
  const loadSince = async (since: number): Promise<boolean> => {
    for (let loads = 0; loads < maxLoads; loads++) {
      if (kept.revokedAt !== undefined || (kept.loaded !== undefined && kept.loaded.at >= since)) return true
      try {
        await loadTogether()
      } catch {
        return false
      }
    }
    return false
  }

  const judgeKept = (hash: string): KeyRecord | 'refused' => {
    const { revokedAt, loaded } = kept
    if (revokedAt !== undefined || loaded === undefined || loaded.found === 'missing') return 'refused'
    return opens(loaded.found, hash, now()) ? loaded.found : 'refused'
  }

  return {
    /** Whether what has this hash opens the key. `unknowable`: neither memory nor the database can tell. */
    async judge(hash: string): Promise<Judgement> {
      if (kept.revokedAt !== undefined) return 'refused'
      const age = ageOf(kept)
      if (age >= usableFor && !(await loadSince(now() - usableFor + 1))) return 'unknowable'
      const verdict = judgeKept(hash)
      if (verdict === 'refused' && ageOf(kept) >= doubtEvery) {
        return (await loadSince(now())) ? judgeKept(hash) : 'unknowable'
      }
      if (ageOf(kept) >= freshFor) after(loadTogether().catch(() => undefined))
      return verdict
    },

    /** The row has changed: nothing that was loaded, or is being loaded, counts. @throws what `load` throws */
    async renew(): Promise<void> {
      if (kept.revokedAt !== undefined) return
      keep({ generation: kept.generation + 1, loaded: undefined })
      await loadTogether()
    },

    /** The key has ended. */
    revoke: (): void =>
      keep({ generation: kept.generation + 1, revokedAt: kept.revokedAt ?? now(), loaded: undefined }),

    /** Unix milliseconds: when nothing of this is needed any more. */
    idleAt: (): number =>
      Math.max((kept.loaded?.at ?? -Infinity) + usableFor, (kept.revokedAt ?? -Infinity) + 86_400_000),
  }
}
