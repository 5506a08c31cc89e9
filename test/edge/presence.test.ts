import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { addMembers, connect, inboxOf, openSupport, roomOf } from '../support/edge-chat.ts'
import { connectInbox, until } from '../support/edge-inbox.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'

const world = async () => {
  const [ada, shop] = [await newUser(), await newUser({ role: 'admin' })]
  const id = await openSupport(ada)
  await addMembers(shop, id, shop)
  return { ada, shop, id }
}

type Kept = { presence: { status: string; version: number }; silentSince: number | null }

/** As it is on disk. */
const presenceOf = (user: TestUser): Promise<Kept | undefined> =>
  runInDurableObject(inboxOf(user), (_, { storage }) => storage.kv.get<Kept>('presence'))

const statusOf = async (user: TestUser): Promise<string | undefined> =>
  (await presenceOf(user))?.presence.status

const isSilent = (user: TestUser) =>
  until('silence', async () => (await presenceOf(user))?.silentSince ?? undefined)

/** Lets the grace pass: what is kept is older by so much, and the alarm is due. */
const passGrace = async (user: TestUser): Promise<void> => {
  await runInDurableObject(inboxOf(user), (_, { storage }) => {
    const kept = storage.kv.get<Kept>('presence')
    if (typeof kept?.silentSince === 'number')
      storage.kv.put('presence', { ...kept, silentSince: kept.silentSince - 10_000 })
  })
  await evictDurableObject(inboxOf(user))
  await runDurableObjectAlarm(inboxOf(user))
}

describe('presence', () => {
  it('reaches the others: who is there when one comes, and who comes later', async () => {
    const { ada, shop, id } = await world()
    const first = await connect(ada, id)
    expect(await first.next('presence', ({ userId }) => userId === shop.id)).toMatchObject({
      status: 'offline',
      lastSeen: null,
    })
    const second = await connect(shop, id)
    await first.next('presence', ({ userId, status }) => userId === shop.id && status === 'online')
    expect(
      await second.next('presence', ({ userId, status }) => userId === ada.id && status === 'online'),
    ).toMatchObject({ lastSeen: null })
  })

  it('ends ten seconds after the last socket, with the moment when that closed', async () => {
    const { ada, shop, id } = await world()
    const [own, watcher] = [await connect(ada, id), await connect(shop, id)]
    await watcher.next('presence', ({ userId, status }) => userId === ada.id && status === 'online')
    const before = Date.now()
    own.close()
    const since = await isSilent(ada)
    expect(since).toBeGreaterThanOrEqual(before - 1_000)
    expect(await statusOf(ada)).toBe('online')
    await passGrace(ada)
    expect(await statusOf(ada)).toBe('offline')
    const gone = await watcher.next(
      'presence',
      ({ userId, status, lastSeen }) => userId === ada.id && status === 'offline' && lastSeen !== null,
    )
    expect(Date.parse(gone.lastSeen ?? '')).toBeLessThanOrEqual(Date.now())
  })

  it('goes on while another device has a socket elsewhere', async () => {
    const { ada, id } = await world()
    const [inRoom, own] = [await connect(ada, id), await connectInbox(ada)]
    await own.next('ready')
    inRoom.close()
    await until('the report of the room', () =>
      runInDurableObject(inboxOf(ada), (_, { storage }) =>
        storage.kv.get<{ sockets: number }>(`source/room/${id}`)?.sockets === 0 ? true : undefined,
      ),
    )
    await passGrace(ada)
    expect(await statusOf(ada)).toBe('online')
    own.close()
    await isSilent(ada)
  })

  it('is set right when a room that had sockets begins again without them', async () => {
    const { ada, id } = await world()
    const socket = await connect(ada, id)
    await until('online', async () => ((await statusOf(ada)) === 'online' ? true : undefined))
    // As a kill leaves it: what was said is on disk, the sockets are gone.
    await evictDurableObject(roomOf(id), { webSockets: 'close' })
    await socket.closed
    await runDurableObjectAlarm(roomOf(id))
    await isSilent(ada)
    await passGrace(ada)
    expect(await statusOf(ada)).toBe('offline')
  })

  it('is asked for by an inbox that begins in another isolate, when nobody comes back to the room', async () => {
    const silentAfter = async (lastIsolate: string | undefined) => {
      const { ada, id } = await world()
      await connect(ada, id)
      await until('online', async () => ((await statusOf(ada)) === 'online' ? true : undefined))
      await runInDurableObject(inboxOf(ada), (_, { storage }) => {
        if (lastIsolate !== undefined) storage.kv.put('isolate', lastIsolate)
      })
      // Its own alarm would wake it, and set right what is to be asked for.
      await runInDurableObject(roomOf(id), (_, { storage }) => storage.deleteAlarm())
      await evictDurableObject(roomOf(id), { webSockets: 'close' })
      await evictDurableObject(inboxOf(ada))
      await inboxOf(ada).notifications({ before: null, limit: 1, unread: false })
      return ada
    }
    const asleep = await silentAfter(undefined)
    await isSilent(await silentAfter('another'))
    expect((await presenceOf(asleep))?.silentSince).toBeNull()
  })

  it('stays through the sleep of rooms and inboxes whose sockets live', async () => {
    const { ada, shop, id } = await world()
    const [own, watcher] = [await connect(ada, id), await connect(shop, id)]
    await until('online', async () => ((await statusOf(ada)) === 'online' ? true : undefined))
    await evictDurableObject(roomOf(id))
    await evictDurableObject(inboxOf(ada))
    await runDurableObjectAlarm(roomOf(id))
    await passGrace(ada)
    expect(await statusOf(ada)).toBe('online')
    own.say({ type: 'send', clientId: newId(), content: 'still here' })
    await watcher.next('message', ({ content }) => content === 'still here')
  })

  it('takes reports in whatever order they come', async () => {
    const { ada } = await world()
    const report = (n: number, sockets: number, incarnation = 1) =>
      inboxOf(ada).attend({ userId: ada.id, room: newRoom, incarnation, n, sockets, watches: false })
    const newRoom = newId()
    await report(2, 0)
    expect(await report(1, 1)).toMatchObject({ status: 'offline', version: 0 })
    expect(await report(1, 1, 2)).toMatchObject({ status: 'online', version: 1 })
    expect(await report(9, 0, 1)).toMatchObject({ status: 'online', version: 1 })
  })
})

describe('what is unread', () => {
  it('comes to the own socket, and ends when it is read', async () => {
    const { ada, shop, id } = await world()
    const own = await connectInbox(ada)
    expect((await own.next('ready')).unread).toEqual([])
    const writer = await connect(shop, id)
    writer.say({ type: 'send', clientId: newId(), content: 'Hello' })
    const { seq } = await writer.next('ack')
    await own.next('unread', ({ conversationId, unread }) => conversationId === id && unread === 1)
    const reader = await connect(ada, id)
    reader.say({ type: 'read', seq })
    await own.next('unread', ({ unread }) => unread === 0)
    expect((await (await connectInbox(ada)).next('ready')).unread).toEqual([])
  })
})
