/** What a client was told, in the order in which it was told, over all its connections. */
export type Heard = { client: string; room: string; events: { seq: number; id: string }[] }

/** What the room has promised: this message is stored, there. */
export type Promised = { room: string; clientId: string; id: string; seq: number }

export type Wrong = { kind: 'lost' | 'duplicated' | 'reordered' | 'gap' | 'changed'; where: string }

/**
 * Holds histories against the promise: every acknowledged message is in every member's log, once, at its place, and nothing
 * is missing between two events. `heads` is the last seq of each room's log when everyone had time to hear of it.
 */
export const wrongHistories = (
  heard: readonly Heard[],
  promised: readonly Promised[],
  heads: ReadonlyMap<string, number>,
): Wrong[] => {
  const wrong: Wrong[] = []
  const twice = new Map<string, Promised>()
  for (const one of promised) {
    const before = twice.get(`${one.room} ${one.clientId}`)
    if (before !== undefined && (before.id !== one.id || before.seq !== one.seq)) {
      wrong.push({
        kind: 'changed',
        where: `${one.clientId} is acknowledged as ${before.seq} and as ${one.seq}`,
      })
    }
    twice.set(`${one.room} ${one.clientId}`, one)
  }
  for (const { client, room, events } of heard) {
    let last = 0
    const seen = new Set<number>()
    for (const { seq } of events) {
      const where = `${client}: ${seq} after ${last}`
      if (seen.has(seq)) wrong.push({ kind: 'duplicated', where })
      else if (seq < last) wrong.push({ kind: 'reordered', where })
      else if (seq > last + 1) wrong.push({ kind: 'gap', where })
      seen.add(seq)
      last = Math.max(last, seq)
    }
    const head = heads.get(room) ?? 0
    if (last < head) wrong.push({ kind: 'lost', where: `${client}: the log ends at ${last} of ${head}` })
    const byId = new Map(events.map(({ id, seq }) => [id, seq]))
    for (const one of promised) {
      if (one.room !== room) continue
      const seq = byId.get(one.id)
      if (seq === undefined) wrong.push({ kind: 'lost', where: `${client}: ${one.clientId} at ${one.seq}` })
      else if (seq !== one.seq)
        wrong.push({ kind: 'changed', where: `${client}: ${one.clientId} at ${seq}, promised at ${one.seq}` })
    }
  }
  return wrong
}
