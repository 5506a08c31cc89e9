import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatClient } from './chat-client.ts'
import type { ChatWorld, Person } from './chat-world.ts'
import { killRuntime, until } from './job-world.ts'

/** Milliseconds after the last change when everyone is known to be where they are. */
const settled = 15_000

const pick = <T>(items: readonly T[]): T => {
  const item = items[Math.floor(Math.random() * items.length)]
  if (item === undefined) throw new Error('Nothing to pick from')
  return item
}

/**
 * Users who come to rooms and leave them, at random, around a kill of the runtime that half of them do not come back from;
 * two of a hall who watch them all; and a hermit, whose own room nobody else ever begins again after a kill.
 */
export const openComings = async (world: ChatWorld) => {
  const [first, second, hermit, ...movers] = world.customers
  if (first === undefined || second === undefined || hermit === undefined) throw new Error('Too few people')
  const hall = await world.addRoom(world.customers)
  const watchers = [first, second].map((person) => world.join(person, hall))
  const cell = await world.addRoom([hermit])
  const rooms = [await world.addRoom(movers), await world.addRoom(movers), await world.addRoom(movers)]
  const open = new Map<string, { person: Person; client: ChatClient }>()

  const enter = (person: Person, room: string) => {
    const key = `${person.id} ${room}`
    if (!open.has(key)) open.set(key, { person, client: world.join(person, room) })
  }

  const leave = (key: string) => {
    void open.get(key)?.client.stop()
    open.delete(key)
  }

  const move = async () => {
    const [person, room] = [pick(movers), pick(rooms)]
    const key = `${person.id} ${room}`
    if (open.has(key)) leave(key)
    else enter(person, room)
    await sleep(Math.random() * 300)
  }

  const areReady = (since: number) => () =>
    [...watchers, ...[...open.values()].map(({ client }) => client)].every(
      ({ readyAt }) => (readyAt.at(-1) ?? 0) > since,
    )

  /** What the watchers have wrong. */
  const wrong = (): string[] => {
    const there = new Set([first.id, second.id, ...[...open.values()].map(({ person }) => person.id)])
    return watchers.flatMap(({ presence }, watcher) =>
      world.customers
        .map(({ id }) => ({ id, is: there.has(id) ? 'online' : 'offline', seen: presence.get(id) }))
        .filter(({ is, seen = 'offline' }) => seen !== is)
        .map(({ id, is, seen }) => `watcher ${watcher} has ${id} ${seen}, who is ${is}`),
    )
  }

  return {
    /** Changes, a kill, changes; then what is wrong when the time is up, and milliseconds until it was right for good. */
    async round(): Promise<{ wrong: string[]; after: number }> {
      enter(hermit, cell)
      for (let n = 0; n < 8; n++) await move()
      await until(areReady(0), 30_000)
      await until(() => watchers.every(({ presence }) => presence.get(hermit.id) === 'online'), 30_000)
      const killed = Date.now()
      const back = killRuntime(world.stack)
      for (const [key, { person }] of open) if (person === hermit || Math.random() < 0.5) leave(key)
      await back
      for (let n = 0; n < 4; n++) await move()
      await until(areReady(killed), 30_000)
      const changed = Date.now()
      let after = 0
      while (Date.now() < changed + settled) {
        if (wrong().length > 0) after = Date.now() - changed
        await sleep(50)
      }
      return { wrong: wrong(), after }
    },
  }
}
