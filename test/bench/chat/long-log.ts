import { readdirSync } from 'node:fs'
import { join as pathOf } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { createRandom } from '../random.ts'
import { makeObjects, type Worker } from '../workerd.ts'
import { createConversation, createPeople, join, startSelvedge, type Person } from './selvedge.ts'

/** Events of a resume, and messages of a page of history. */
const behind = 1_000
const page = 100

/** Rows as a room writes them itself; the first place has the joining of its member. */
const fill = `
  insert into messages (seq, n, id, author, client_id, at, content)
  with recursive place (n) as (select 1 union all select n + 1 from place where n < ?)
  select n + 1, n, substr(id, 1, 8) || '-' || substr(id, 9, 4) || '-7' || substr(id, 14, 3) || '-8' || substr(id, 18, 3)
      || '-' || substr(id, 21), ?, 'c' || n, 1700000000000 + n,
    substr('message ' || n || ': the quick brown fox jumps over the lazy dog, again and again', 1, 64)
  from (select n, lower(hex(randomblob(16))) as id from place)`

const message = Buffer.from('"content":')

const countOf = (bytes: Buffer, from: number, to: number): number => {
  let count = 0
  for (let at = bytes.indexOf(message, from); at >= 0 && at < to; at = bytes.indexOf(message, at + 1))
    count += 1
  return count
}

const Ready = z.object({ epoch: z.string(), head: z.number() })

/** A member who asks a room for parts of its log. */
const openReader = async (worker: Worker, room: string, person: Person) => {
  let heard = 0
  let awaited = { count: Infinity, resolve: () => {} }
  const ready = Promise.withResolvers<z.infer<typeof Ready>>()
  const socket = await join(
    { worker, room, person, resume: { after: 0, batch: true } },
    (bytes, from, to) => {
      const start = bytes.toString('latin1', from, Math.min(to, from + 20))
      if (start.startsWith('{"type":"ready"'))
        ready.resolve(Ready.parse(JSON.parse(bytes.toString('utf8', from, to))))
      if (start.startsWith('{"type":"flow"')) socket.say(bytes.toString('latin1', from, to))
      heard += countOf(bytes, from, to)
      if (heard >= awaited.count) awaited.resolve()
    },
  )

  return {
    ready: ready.promise,
    close: socket.close,
    /** Milliseconds from the question until so many messages have come. */
    async ask(question: object, count: number): Promise<number> {
      const answered = Promise.withResolvers<void>()
      ;[heard, awaited] = [0, { count, resolve: answered.resolve }]
      const began = performance.now()
      socket.say(JSON.stringify(question))
      await answered.promise
      const took = performance.now() - began
      if (heard !== count) throw new Error(`${heard} messages came in place of ${count}`)
      return took
    },
  }
}

/** Rooms are made by the Worker, and their files filled while nobody has them open. */
const makeRooms = async (context: Context, objects: string, sizes: readonly number[]) => {
  const { worker, client } = await startSelvedge(context, objects)
  const [person] = await createPeople(client, 1)
  if (person === undefined) throw new Error('Nobody was made')
  const folder = pathOf(objects, 'ChatRoom')
  const rooms: { room: string; file: string; size: number }[] = []
  try {
    for (const size of sizes) {
      const room = await createConversation(client, [person])
      const reader = await openReader(worker, room, person)
      await reader.ready
      reader.close()
      const file = readdirSync(folder).find(
        (name) => name.endsWith('.sqlite') && !rooms.some((one) => one.file === pathOf(folder, name)),
      )
      rooms.push({ room, file: pathOf(folder, file ?? ''), size })
    }
  } finally {
    await worker.stop()
  }
  for (const { file, size } of rooms) {
    const database = new DatabaseSync(file)
    database.prepare(fill).run(size, person.id)
    database.close()
  }
  return { rooms, person }
}

/** A member in each of these rooms, with logs of so many messages. */
export const openLogs = async (context: Context, sizes: readonly number[]) => {
  const objects = makeObjects()
  const { rooms, person } = await makeRooms(context, objects, sizes)
  const { worker } = await startSelvedge(context, objects)
  const { below } = createRandom(3)
  const logs = await Promise.all(
    rooms.map(async ({ room, size }) => {
      const reader = await openReader(worker, room, person)
      const { epoch, head } = await reader.ready
      if (head !== size + 1) throw new Error(`A log of ${size} messages ends at ${head}`)
      return {
        size,
        /** Milliseconds of a page from anywhere in the log. */
        page: () => reader.ask({ type: 'history', limit: page, before: page + 2 + below(size - page) }, page),
        /** Milliseconds until who was away for the last thousand messages has them. */
        resume: () => reader.ask({ type: 'resume', after: head - behind, epoch, batch: true }, behind),
      }
    }),
  )
  return { logs, stop: worker.stop }
}
