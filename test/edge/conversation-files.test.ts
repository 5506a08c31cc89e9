import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { AttachedFile } from '../../src/chat/protocol.ts'
import { ConversationDetail, Message, MessagePage } from '../../src/chat/schema.ts'
import { createFileStore } from '../../src/chat/file-store.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { uploadStates } from '../../src/uploads/state.ts'
import { startOnce } from '../../workers/api.ts'
import { api } from '../support/edge-api.ts'
import { addMembers, connect, openSupport, roomOf } from '../support/edge-chat.ts'
import { attach, fetchFile, newFile } from '../support/edge-files.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const base = '/api/v1/conversations'

let shop: TestUser
let stranger: TestUser

beforeAll(async () => {
  shop = await newUser({ role: 'admin' })
  stranger = await newUser()
})

/** A customer of its own each time: one has one conversation with support. */
const talk = async () => {
  const ada = await newUser()
  const id = await openSupport(ada)
  await addMembers(shop, id, shop)
  return { ada, id, photo: await newFile({ ownerId: ada.id }) }
}

const bring = ({ token }: TestUser, id: string, ...uploadIds: string[]) =>
  api('POST', `${base}/${id}/files`, { token, body: { uploadIds } })

const takeOut = async ({ token }: TestUser, id: string, uploadId: string) => {
  const { status, code } = await api('DELETE', `${base}/${id}/files/${uploadId}`, { token })
  return status === 204 ? 204 : code
}

const send = ({ token }: TestUser, id: string, attachments: string[], content = '', key = newId()) =>
  api('POST', `${base}/${id}/messages`, {
    token,
    body: { content, attachments },
    headers: { 'Idempotency-Key': key },
  })

const historyOf = async ({ token }: TestUser, id: string) =>
  MessagePage.parse((await api('GET', `${base}/${id}/messages`, { token })).body).data

const fileStatus = async (user: TestUser | undefined, id: string) =>
  (await fetchFile(`/api/v1/files/${id}/thumb`, { token: user?.token })).status

const deletion = async ({ token }: TestUser, id: string) => {
  const { status, code } = await api('DELETE', `/api/v1/uploads/${id}`, { token })
  return status === 204 ? 204 : code
}

const rowsOf = (id: string) =>
  sql<{ upload_id: string; user_id: string; version: number }>(
    'select upload_id, user_id, version from conversation_files where conversation_id = $1 order by upload_id',
    [id],
  )

const services = () => {
  const { log, servicesOf } = startOnce(env)
  return servicesOf({ log, meter: newMeter(), origin: { requestId: newId() }, after: () => undefined })
}

const context = { id: newId(), requestId: 'r', traceparent: undefined, signal: new AbortController().signal }

/** What the job of the last change would do. */
const runFilesJob = async (id: string) => {
  const [job] = await sql<{ payload: { conversationId: string; version: number } }>(
    `select payload from jobs where type = 'chat.files' and subject_id = $1 order by created_at desc, id desc limit 1`,
    [id],
  )
  await services().handlers['chat.files'](job!.payload, context)
}

describe('bringing files into a conversation', () => {
  it('answers them as messages will show them, in one call to the database, and in the order that was asked', async () => {
    const { ada, id, photo } = await talk()
    const note = await newFile({ ownerId: ada.id, name: 'note.pdf', type: 'application/pdf' })
    const early = await newFile({ ownerId: ada.id, name: 'early.png', type: 'image/png', state: 'scanning' })
    const reply = await bring(ada, id, note, photo, early)
    expect([reply.status, reply.calls]).toEqual([200, 1])
    const files = AttachedFile.array().parse(reply.data)
    expect(files.map((file) => [file.id, file.name, file.type])).toEqual([
      [note, 'note.pdf', 'application/pdf'],
      [photo, 'photo.jpg', 'image/jpeg'],
      [early, 'early.png', 'image/png'],
    ])
    expect(files.map(({ variants }) => variants.map(({ name, url, width }) => [name, url, width]))).toEqual([
      [['original', `/api/v1/files/${note}/original`, undefined]],
      [
        ['thumb', `/api/v1/files/${photo}/thumb`, 150],
        ['medium', `/api/v1/files/${photo}/medium`, 800],
        ['full', `/api/v1/files/${photo}/full`, 2_400],
      ],
      ['thumb', 'medium', 'full'].map((name) => [name, `/api/v1/files/${early}/${name}`, undefined]),
    ])
  })

  it('again changes nothing that anyone sees', async () => {
    const { ada, id, photo } = await talk()
    const first = await bring(ada, id, photo)
    const again = await bring(ada, id, photo)
    expect([again.status, again.data]).toEqual([200, first.data])
    expect(await rowsOf(id)).toHaveLength(1)
    expect((await send(ada, id, [photo])).status).toBe(201)
  })

  it.each(uploadStates)('of a file that is %s', async (state) => {
    const { ada, id, photo } = await talk()
    const file = await newFile({ ownerId: ada.id, state })
    const reply = await bring(ada, id, photo, file)
    if (['scanning', 'processing', 'ready'].includes(state)) return expect(reply.status).toBe(200)
    expect([reply.status, reply.code, reply.details]).toEqual([
      422,
      'VALIDATION_FAILED',
      [{ field: 'uploadIds.1', message: state === 'receiving' ? 'has not all arrived' : `is ${state}` }],
    ])
    // All or none.
    expect(await rowsOf(id)).toEqual([])
    expect((await send(ada, id, [photo])).code).toBe('ATTACHMENT_REFUSED')
  })

  it('takes one to ten, each once', async () => {
    const { ada, id, photo } = await talk()
    for (const uploadIds of [[], Array.from({ length: 11 }, newId), [photo, photo], ['x'], 'x']) {
      const reply = await api('POST', `${base}/${id}/files`, { token: ada.token, body: { uploadIds } })
      expect(reply.code).toBe('VALIDATION_FAILED')
    }
    expect((await bring(ada, id, photo.toUpperCase())).status).toBe(200)
  })
})

describe('who may bring a file', () => {
  it('its owner: to everyone else, administrators too, it is as absent as one that is not there', async () => {
    const { ada, id, photo } = await talk()
    const traces = []
    for (const file of [photo, newId()]) {
      const { status, code, error, details } = await bring(shop, id, file)
      traces.push([status, code, error?.message, details])
    }
    expect(traces[0]).toEqual([
      404,
      'NOT_FOUND',
      'Not found',
      [{ field: 'uploadIds.0', message: 'unknown file' }],
    ])
    expect(traces[1]).toEqual(traces[0])
    expect((await bring(ada, id, await newFile({ ownerId: stranger.id }))).code).toBe('NOT_FOUND')
    expect(await rowsOf(id)).toEqual([])
  })

  it('as a member: others find no conversation, and administrators join first', async () => {
    const { id, photo } = await talk()
    const mine = await newFile({ ownerId: stranger.id })
    const outside = await newUser({ role: 'admin' })
    const foreign = await bring(stranger, id, mine)
    const unknown = await bring(stranger, newId(), mine)
    expect([foreign.status, foreign.error?.message]).toEqual([404, unknown.error?.message])
    expect((await bring(outside, id, await newFile({ ownerId: outside.id }))).code).toBe('FORBIDDEN')
    expect((await bring(outside, id, photo)).code).toBe('FORBIDDEN')
    expect(await rowsOf(id)).toEqual([])
    expect(await sql(`select from jobs where type = 'chat.files' and subject_id = $1`, [id])).toEqual([])
  })

  it('while the conversation is open; what was brought before can be sent when it is opened again', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    await api('POST', `${base}/${id}/close`, { token: ada.token })
    expect((await bring(ada, id, photo)).code).toBe('CONVERSATION_CLOSED')
    expect((await send(ada, id, [photo])).code).toBe('CONVERSATION_CLOSED')
    expect(await fileStatus(shop, photo)).toBe(200)
    await openSupport(ada)
    expect((await send(ada, id, [photo])).status).toBe(201)
  })

  it('not with a session that has ended', async () => {
    const { ada, id, photo } = await talk()
    await sql('update sessions set revoked_at = now() where id = $1', [ada.sessionId])
    expect((await bring(ada, id, photo)).status).toBe(401)
    expect(await rowsOf(id)).toEqual([])
  })
})

describe('a message with files', () => {
  it('shows name, type and variants to everyone, over sockets, in history and over REST', async () => {
    const { ada, id, photo } = await talk()
    const note = await newFile({ ownerId: ada.id, name: 'note.pdf', type: 'application/pdf' })
    const attachments = AttachedFile.array().parse((await bring(ada, id, photo, note)).data)
    const [mine, theirs] = [await connect(ada, id), await connect(shop, id, { batch: true })]
    mine.say({ type: 'send', clientId: 'with-files', content: 'Look', attachments: [photo, note] })
    const { seq } = await mine.next('ack')
    for (const socket of [mine, theirs]) {
      expect(await socket.next('message')).toMatchObject({ seq, content: 'Look', attachments })
    }
    theirs.say({ type: 'history', limit: 10 })
    const expected = { seq, attachments }
    expect((await theirs.next('history')).messages.at(-1)).toMatchObject(expected)
    expect((await historyOf(shop, id)).at(-1)).toMatchObject(expected)
    await evictDurableObject(roomOf(id))
    expect((await historyOf(ada, id)).at(-1)).toMatchObject(expected)
    const back = await connect(ada, id)
    expect(await back.next('message', (one) => one.seq === seq)).toMatchObject(expected)
  })

  it('needs no text, and says so in lists', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    const sent = await send(ada, id, [photo])
    expect(sent.status).toBe(201)
    expect(Message.parse(sent.data).attachments).toHaveLength(1)
    await runDurableObjectAlarm(roomOf(id))
    const detail = ConversationDetail.parse((await api('GET', `${base}/${id}`, { token: ada.token })).data)
    expect(detail.lastMessage).toMatchObject({ content: '', attachments: 1 })
  })

  it('sent again under its clientId is the same, and shows the file once', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    const socket = await connect(ada, id)
    const frame = { type: 'send' as const, clientId: 'twice', content: '', attachments: [photo, photo] }
    socket.say(frame)
    const first = await socket.next('ack')
    // Also when its file is there no more.
    socket.say({ type: 'remove', id: first.id })
    await socket.next('messageRemoved')
    socket.frames.length = 0
    socket.say(frame)
    expect(await socket.next('ack')).toEqual(first)
    const again = await send(ada, id, [photo], '', 'twice')
    expect([again.status, Message.parse(again.data).id]).toEqual([201, first.id])
    expect(await historyOf(ada, id)).toHaveLength(1)
  })

  it('is refused before its file is authorised, and taken as soon as that is answered', async () => {
    const { ada, id, photo } = await talk()
    const socket = await connect(ada, id)
    const say = (clientId: string) =>
      socket.say({ type: 'send', clientId, content: 'early', attachments: [photo] })
    say('early')
    expect(await socket.next('error')).toMatchObject({ code: 'ATTACHMENT_REFUSED', clientId: 'early' })
    expect((await send(ada, id, [photo])).code).toBe('ATTACHMENT_REFUSED')
    await bring(ada, id, photo)
    say('early')
    expect((await socket.next('ack')).clientId).toBe('early')
  })

  it('is refused when somebody else brought it, over both ways, and when it is another conversation’s', async () => {
    const { ada, id, photo } = await talk()
    const own = await newFile({ ownerId: shop.id })
    await bring(ada, id, photo)
    const socket = await connect(shop, id)
    socket.say({ type: 'send', clientId: 'theirs', content: 'x', attachments: [photo] })
    expect((await socket.next('error')).code).toBe('ATTACHMENT_REFUSED')
    expect((await send(shop, id, [photo])).code).toBe('ATTACHMENT_REFUSED')
    const other = await talk()
    await bring(shop, other.id, own)
    expect((await send(shop, id, [own])).code).toBe('ATTACHMENT_REFUSED')
    expect((await send(shop, other.id, [own])).status).toBe(201)
  })

  it('over REST needs no room that has heard of the file, over a socket the job heals it', async () => {
    const { ada, id, photo } = await talk()
    const late = await newFile({ ownerId: ada.id })
    await bring(ada, id, photo, late)
    // As if the call to the room had been lost.
    await runInDurableObject(
      roomOf(id),
      (_, { storage }) => void storage.sql.exec('delete from shared_files'),
    )
    expect((await send(ada, id, [photo])).status).toBe(201)
    const socket = await connect(ada, id)
    socket.say({ type: 'send', clientId: 'lost', content: '', attachments: [late] })
    expect((await socket.next('error')).code).toBe('ATTACHMENT_REFUSED')
    await runFilesJob(id)
    socket.say({ type: 'send', clientId: 'lost', content: '', attachments: [late] })
    await socket.next('ack')
  })
})

describe('who may read a file of a conversation', () => {
  it('its members, for as long as they are', async () => {
    const { ada, id, photo } = await talk()
    const guest = await newUser()
    expect([await fileStatus(guest, photo), await fileStatus(shop, photo)]).toEqual([404, 200])
    await bring(ada, id, photo)
    expect(await fileStatus(guest, photo)).toBe(404)
    await addMembers(shop, id, guest)
    expect(await fileStatus(guest, photo)).toBe(200)
    expect([await fileStatus(stranger, photo), await fileStatus(undefined, photo)]).toEqual([404, 404])
    await api('DELETE', `${base}/${id}/members/${guest.id}`, { token: shop.token })
    expect(await fileStatus(guest, photo)).toBe(404)
    await addMembers(shop, id, guest)
    await api('POST', `${base}/${id}/leave`, { token: guest.token })
    expect(await fileStatus(guest, photo)).toBe(404)
    expect(await fileStatus(ada, photo)).toBe(200)
  })

  it('of somebody who has left: those who stayed', async () => {
    const { ada, id } = await talk()
    const guest = await newUser()
    await addMembers(shop, id, guest)
    const photo = await newFile({ ownerId: guest.id })
    await bring(guest, id, photo)
    await send(guest, id, [photo])
    await api('POST', `${base}/${id}/leave`, { token: guest.token })
    expect(await fileStatus(ada, photo)).toBe(200)
    expect((await send(guest, id, [photo])).status).toBe(404)
    expect((await bring(guest, id, photo)).status).toBe(404)
    expect(await deletion(guest, photo)).toBe('FILE_IN_USE')
  })

  it('gets no link to give away', async () => {
    const { ada, id } = await talk()
    const guest = await newUser()
    await addMembers(shop, id, guest)
    const photo = await newFile({ ownerId: ada.id })
    await bring(ada, id, photo)
    const body = { variant: 'thumb' }
    expect((await api('POST', `/api/v1/uploads/${photo}/links`, { token: guest.token, body })).status).toBe(
      404,
    )
    expect((await api('GET', `/api/v1/uploads/${photo}`, { token: guest.token })).status).toBe(404)
  })

  it('hears that it is not ready until it is, and that it never will be when it turns out bad', async () => {
    const { ada, id } = await talk()
    const guest = await newUser()
    await addMembers(shop, id, guest)
    const photo = await newFile({ ownerId: ada.id, state: 'scanning' })
    await bring(ada, id, photo)
    expect((await send(ada, id, [photo])).status).toBe(201)
    const read = async () => {
      const { status, code, details } = await api('GET', `/api/v1/files/${photo}/thumb`, {
        token: guest.token,
      })
      return [status, code, details]
    }
    expect(await read()).toEqual([404, 'FILE_NOT_READY', { status: 'scanning' }])
    const ready = await newFile({ ownerId: ada.id })
    await sql(
      `update uploads set state = 'ready', scan = 'clean', variants = (select variants from uploads where id = $2) where id = $1`,
      [photo, ready],
    )
    expect(await fileStatus(guest, photo)).toBe(200)
    await sql(`update uploads set state = 'failed', reason = 'lost', variants = null where id = $1`, [photo])
    expect(await read()).toEqual([404, 'FILE_NOT_READY', { status: 'failed' }])
    expect((await historyOf(guest, id)).at(-1)?.attachments).toHaveLength(1)
  })
})

describe('letting a file go', () => {
  it('it cannot be deleted while the conversation has it, sent or not', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    expect(await deletion(ada, photo)).toBe('FILE_IN_USE')
    await send(ada, id, [photo])
    expect(await deletion(ada, photo)).toBe('FILE_IN_USE')
    expect(await deletion(shop, photo)).toBe('FILE_IN_USE')
    await expect(sql('delete from uploads where id = $1', [photo])).rejects.toThrow('conversation_files')
  })

  it('removing the last message that shows it does, for members and for its deletion', async () => {
    const { ada, id, photo } = await talk()
    const guest = await newUser()
    await addMembers(shop, id, guest)
    await bring(ada, id, photo)
    const sent: Message[] = []
    for (let n = 0; n < 2; n++) sent.push(Message.parse((await send(ada, id, [photo])).data))
    const socket = await connect(ada, id)
    const remove = async ({ id: message }: Message) => {
      socket.say({ type: 'remove', id: message })
      await socket.next('messageRemoved', (one) => one.id === message)
      await runDurableObjectAlarm(roomOf(id))
    }
    await remove(sent[0]!)
    expect([await fileStatus(guest, photo), await deletion(ada, photo)]).toEqual([200, 'FILE_IN_USE'])
    await remove(sent[1]!)
    expect(await fileStatus(guest, photo)).toBe(404)
    expect((await send(ada, id, [photo])).code).toBe('ATTACHMENT_REFUSED')
    expect((await historyOf(ada, id)).map(({ attachments }) => attachments)).toEqual([undefined, undefined])
    expect(await deletion(ada, photo)).toBe(204)
  })

  it('brought again after that it is there again, whatever comes late', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    const { id: message } = Message.parse((await send(ada, id, [photo])).data)
    const [before] = await rowsOf(id)
    const socket = await connect(ada, id)
    socket.say({ type: 'remove', id: message })
    await socket.next('messageRemoved')
    // The room has not told of it yet.
    await bring(ada, id, photo)
    await runDurableObjectAlarm(roomOf(id))
    const [after] = await rowsOf(id)
    expect(after!.version).toBeGreaterThan(before!.version)
    expect((await send(ada, id, [photo])).status).toBe(201)
  })

  it('nor does the room take away what was brought again without its knowledge', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    const { id: message } = Message.parse((await send(ada, id, [photo])).data)
    const socket = await connect(ada, id)
    // Its next alarm is a second away.
    await runDurableObjectAlarm(roomOf(id))
    socket.say({ type: 'remove', id: message })
    await socket.next('messageRemoved')
    // As if the call to the room had been lost.
    await sql('update conversation_files set version = version + 1 where conversation_id = $1', [id])
    await runDurableObjectAlarm(roomOf(id))
    expect(await rowsOf(id)).toHaveLength(1)
    expect((await send(ada, id, [photo])).status).toBe(201)
  })

  it('what a job tells late of a file that was let go does not bring it back', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    const shared = await runInDurableObject(roomOf(id), (_, { storage }) => {
      const [row] = storage.sql
        .exec<{ version: number; file: string }>('select version, file from shared_files')
        .toArray()
      return { owner: ada.id, version: row!.version, file: AttachedFile.parse(JSON.parse(row!.file)) }
    })
    expect(await takeOut(ada, id, photo)).toBe(204)
    await roomOf(id).bringFiles({ conversation: { id, version: 1, closed: false }, files: [shared] })
    expect((await send(ada, id, [photo])).code).toBe('ATTACHMENT_REFUSED')
    expect(await rowsOf(id)).toEqual([])
  })

  it('its owner takes out what no message shows', async () => {
    const { ada, id, photo } = await talk()
    const sent = await newFile({ ownerId: ada.id })
    await bring(ada, id, photo, sent)
    await send(ada, id, [sent])
    expect(await takeOut(ada, id, sent)).toBe('FILE_IN_USE')
    expect(await takeOut(shop, id, photo)).toBe('NOT_FOUND')
    expect(await takeOut(stranger, id, photo)).toBe('NOT_FOUND')
    expect(await takeOut(await newUser({ role: 'admin' }), id, photo)).toBe('FORBIDDEN')
    expect(await takeOut(ada, id, photo)).toBe(204)
    expect(await takeOut(ada, id, photo)).toBe('NOT_FOUND')
    expect((await send(ada, id, [photo])).code).toBe('ATTACHMENT_REFUSED')
    expect([await deletion(ada, photo), await deletion(ada, sent)]).toEqual([204, 'FILE_IN_USE'])
  })

  it('is told by the room, should the call that took it out have died in between', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    const [row] = await rowsOf(id)
    const file = { id: photo, name: 'photo.jpg', type: 'image/jpeg', variants: [] }
    const files = [{ owner: ada.id, version: row!.version, file }]
    expect(await roomOf(id).releaseFiles({ conversation: { id, version: 1, closed: false }, files })).toBe(
      true,
    )
    expect(await rowsOf(id)).toHaveLength(1)
    await evictDurableObject(roomOf(id))
    await runDurableObjectAlarm(roomOf(id))
    expect(await rowsOf(id)).toEqual([])
  })

  it('of several things the file is still held by the others', async () => {
    const { ada, id, photo } = await talk()
    await bring(ada, id, photo)
    await attach((await newProduct({ categoryId: (await newCategory()).id })).id, photo)
    expect(await takeOut(ada, id, photo)).toBe(204)
    expect(await deletion(ada, photo)).toBe('FILE_IN_USE')
    expect(await fileStatus(undefined, photo)).toBe(200)
  })
})

describe('a room that drops the oldest of its log', () => {
  it('lets go of the files that only those messages showed', async () => {
    const { ada, id, photo } = await talk()
    const kept = await newFile({ ownerId: ada.id })
    await bring(ada, id, photo, kept)
    const { seq } = Message.parse((await send(ada, id, [photo, kept])).data)
    await send(ada, id, [kept])
    await runInDurableObject(roomOf(id), (_, { storage }) => createFileStore(storage).disuse(0, seq))
    await runDurableObjectAlarm(roomOf(id))
    expect((await rowsOf(id)).map(({ upload_id }) => upload_id)).toEqual([kept])
  })
})
