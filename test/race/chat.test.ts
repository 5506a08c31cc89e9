import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { inParallel } from '../support/api.ts'
import { wrongHistories } from '../support/chat-history.ts'
import { costlyControl } from '../support/costly-control.ts'
import type { Mutation } from '../support/mutant.ts'
import type { ChatClient } from './chat-client.ts'
import { openComings } from './chat-presence.ts'
import { openChatWorld, type ChatWorld } from './chat-world.ts'
import { killRuntime, until } from './job-world.ts'

const isFull = process.env['SELVEDGE_PROOF'] === 'full'

/** Clients are users times rooms. */
const size = isFull
  ? { users: 10, rooms: 20, messages: 20_000, kills: 20, rounds: 10 }
  : { users: 10, rooms: 2, messages: 400, kills: 2, rounds: 1 }

/** Writes of messages that nobody waits for: an ack promises what is not there yet. */
const lateWrites: Mutation = {
  file: 'src/chat/runner.ts',
  remove: 'store.append(effect.event, effect.n)\n',
  put: 'setTimeout(() => store.append(effect.event, effect.n), 500)\n',
}

/** An inbox that begins in another process than before, and does not ask whether the rooms still live. */
const noRollCall: Mutation = {
  file: 'src/inbox/inbox.do.ts',
  remove: '      this.ctx.waitUntil(this.#link.callRoll((isolate ??= newId())))\n',
}

type Size = typeof size

type Crowd = { world: ChatWorld; clients: ChatClient[] }

/** Rooms of which everyone is a member, and a client for each user in each room. */
const gather = async (world: ChatWorld, { users, rooms }: Pick<Size, 'users' | 'rooms'>): Promise<Crowd> => {
  const people = world.customers.slice(0, users)
  const ids = await inParallel(2, Array.from({ length: rooms }), () => world.addRoom(people))
  const pause = () => Math.random() * (isFull ? 100 : 30)
  return { world, clients: ids.flatMap((room) => people.map((person) => world.join(person, room, pause))) }
}

const isReadySince = (clients: readonly ChatClient[], moment: number): boolean =>
  clients.every(({ readyAt }) => (readyAt.at(-1) ?? 0) > moment)

/** Milliseconds from each kill until everyone was back. */
const throughKills = async (
  { world, clients }: Crowd,
  { messages, kills }: Pick<Size, 'messages' | 'kills'>,
): Promise<number[]> => {
  await until(() => isReadySince(clients, 0))
  for (const client of clients) client.want(Math.ceil(messages / clients.length / (kills + 1)))
  const waits: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    await sleep(100 + Math.random() * 900)
    const killed = Date.now()
    await killRuntime(world.stack)
    const up = Date.now()
    for (const client of clients) client.want(Math.ceil(messages / clients.length / (kills + 1)))
    await until(() => isReadySince(clients, killed))
    waits.push(Date.now() - up)
  }
  await until(() => clients.every((client) => client.isDone()), isFull ? 600_000 : 60_000)
  return waits
}

const judge = async ({ clients }: Crowd) => {
  const heads = new Map<string, number>()
  for (const { room, promised, head } of clients) {
    heads.set(room, Math.max(heads.get(room) ?? 0, head(), ...promised.map(({ seq }) => seq)))
  }
  await until(() => clients.every((client) => client.isCurrent(heads.get(client.room) ?? 0)), 15_000).catch(
    () => undefined,
  )
  const promised = clients.flatMap((client) => client.promised)
  const heard = clients.map(({ name, room, events }) => ({ client: name, room, events }))
  return { wrong: wrongHistories(heard, promised, heads), promised }
}

describe('conversations', () => {
  const worlds: ChatWorld[] = []
  const open = async (people: number, mutations?: Mutation[]) => {
    const world = await openChatWorld(people, mutations)
    worlds.push(world)
    return world
  }
  let world: ChatWorld
  beforeAll(async () => {
    world = await open(size.users)
  }, 180_000)
  afterAll(() => Promise.all(worlds.map((one) => one.close())))

  it(`of ${size.users * size.rooms} clients through ${size.kills} kills lose nothing that was acknowledged, and are heard once, in order, without a gap`, async () => {
    const crowd = await gather(world, size)
    const waits = await throughKills(crowd, size)
    const { wrong, promised } = await judge(crowd)
    console.log(`back after ${waits.join(', ')} ms; ${promised.length} acknowledgements`)
    expect(wrong.slice(0, 10)).toEqual([])
    expect(new Set(promised.map(({ room, clientId }) => `${room} ${clientId}`)).size).toBeGreaterThanOrEqual(size.messages)
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000)
    expect(crowd.clients.every((client) => client.state().resyncs === 0)).toBe(true)
    await Promise.all(crowd.clients.map((client) => client.stop()))
  }, isFull ? 1_500_000 : 240_000) // prettier-ignore

  costlyControl('lose something when an ack does not wait for its write', [lateWrites], async (mutations) => {
    const crowd = await gather(await open(5, mutations), { users: 5, rooms: 1 })
    await throughKills(crowd, { messages: 300, kills: 3 }).catch(() => undefined)
    expect((await judge(crowd)).wrong.length).toBeGreaterThan(0)
  })

  it('know who is there 15 s after the last change, through kills that not everyone comes back from', async () => {
    const comings = await openComings(world)
    for (let n = 0; n < size.rounds; n++) {
      const { wrong, after } = await comings.round()
      console.log(`presence right after ${after} ms`)
      expect(wrong).toEqual([])
    }
  }, size.rounds * 90_000) // prettier-ignore

  costlyControl(
    'take who died with a room for there, when inboxes do not ask',
    [noRollCall],
    async (mutations) => {
      const comings = await openComings(await open(size.users, mutations))
      expect((await comings.round()).wrong.length).toBeGreaterThan(0)
    },
  )
})
