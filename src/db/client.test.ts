import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../shared/logger.ts'
import { newMeter } from '../shared/meter.ts'
import { users } from '../users/table.ts'
import { createDatabase } from './client.ts'

type Call = {
  headers: IncomingMessage['headers']
  body: { queries?: { query: string; params: unknown[] }[] }
}

type Answer = (response: ServerResponse, call: Call) => void

const reply =
  (status: number, body: unknown): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

/** One row of one text column a statement, which says which statement it answers. */
const rows: Answer = (response, call) => {
  const results = (call.body.queries ?? []).map((_, n) => ({
    fields: [{ name: 'n', dataTypeID: 25 }],
    rows: [[`row ${n}`]],
    command: 'SELECT',
    rowCount: 1,
    rowAsArray: true,
  }))
  reply(200, { results })(response, call)
}

const refuse = (code: string) => reply(400, { message: 'canary', code, severity: 'ERROR' })

const drop: Answer = (response) => response.destroy()

const hang: Answer = () => undefined

/** Status and half of the body, then nothing more. */
const stall: Answer = (response) => void response.writeHead(200).write('{"results":')

const breakOff: Answer = (response) => {
  response.writeHead(200).write('{"results":', () => response.destroy())
}

let server: Server
let answers: Answer[] = []
let calls: Call[] = []

const serve = async (request: IncomingMessage, response: ServerResponse) => {
  const call = { headers: request.headers, body: (await json(request)) as Call['body'] }
  calls.push(call)
  const answer = answers.shift() ?? rows
  answer(response, call)
}

beforeAll(async () => {
  server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(() => {
  answers = []
  calls = []
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const open = (timeoutMs = 5_000) => {
  const lines: string[] = []
  const waits: number[] = []
  const meter = newMeter()
  const database = createDatabase(
    {
      databaseUrl: 'postgres://app:canary-password@db.example/main',
      fetchEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sql`,
      timeoutMs,
    },
    {
      log: createLogger({ level: 'debug', pretty: false, write: (line) => lines.push(line) }),
      meter,
      onWait: async (milliseconds) => void waits.push(milliseconds),
    },
  )
  return { ...database, lines, waits, meter }
}

const one = sql`select 1`

describe('a batch', () => {
  it('is one HTTP call and answers in its order, with gaps where there is no statement', async () => {
    const { db, read, meter } = open()
    const results = await read([
      undefined,
      one,
      undefined,
      db.select({ n: users.name }).from(users),
      undefined,
    ])
    expect(calls).toHaveLength(1)
    expect(calls[0]?.body.queries).toHaveLength(2)
    expect(results).toHaveLength(5)
    expect([results[0], results[2], results[4]]).toEqual([undefined, undefined, undefined])
    expect(results[1].rows).toEqual([{ n: 'row 0' }])
    expect(results[3]).toEqual([{ n: 'row 1' }])
    expect(meter.calls).toBe(1)
  })

  it('without any statement asks nothing', async () => {
    const { write } = open()
    expect(await write([undefined, undefined])).toEqual([undefined, undefined])
    expect(calls).toEqual([])
  })

  it('is read-only when it reads and not when it writes', async () => {
    const { read, write } = open()
    await read([one])
    await write([one])
    expect(calls.map(({ headers }) => headers['neon-batch-read-only'])).toEqual(['true', 'false'])
  })

  it('is logged at debug by its statements and never by their parameters', async () => {
    const { write, lines } = open()
    await write([sql`select ${'canary-parameter'}`])
    expect(lines.join()).toContain('select $1')
    expect(lines.join()).not.toContain('canary')
  })
})

const failures: [string, Answer][] = [
  ['a connection that is dropped', drop],
  ['an answer that breaks off', breakOff],
  ['a proxy’s 503', reply(503, { message: 'canary' })],
  ['a proxy’s 500', reply(500, 'canary')],
  ['a server that is starting up', refuse('57P03')],
  ['a server with too many connections', refuse('53300')],
]

describe('a read', () => {
  it.each(failures)('is tried twice more after %s', async (_, failure) => {
    answers = [failure, failure, rows]
    const { read, meter, waits } = open()
    const [result] = await read([one])
    expect(result.rows).toEqual([{ n: 'row 0' }])
    expect([calls.length, meter.calls, waits.length]).toEqual([3, 3, 2])
  })

  it.each(failures)('is UNAVAILABLE with Retry-After after the third time of %s', async (_, failure) => {
    answers = [failure, failure, failure]
    await expect(open().read([one])).rejects.toMatchObject({
      name: 'AppError',
      code: 'UNAVAILABLE',
      headers: { 'Retry-After': '2' },
    })
    expect(calls).toHaveLength(3)
  })

  it.each(['40001', '40P01'])('is tried again after %s', async (code) => {
    answers = [refuse(code)]
    await open().read([one])
    expect(calls).toHaveLength(2)
  })

  it.each([
    ['22003', 'VALIDATION_FAILED'],
    ['42P01', 'INTERNAL'],
  ])('is not tried again after %s', async (state, code) => {
    answers = [refuse(state)]
    await expect(open().read([one])).rejects.toMatchObject({ code })
    expect(calls).toHaveLength(1)
  })
})

describe('a write', () => {
  it.each(failures)('is not tried again after %s: it may have happened', async (_, failure) => {
    answers = [failure]
    await expect(open().write([one])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(calls).toHaveLength(1)
  })

  it.each(['40001', '40P01'])('is tried again as a whole after %s: nothing has happened', async (code) => {
    answers = [refuse(code), refuse(code), refuse(code), refuse(code)]
    const { write, waits } = open()
    await write([one, one])
    expect(calls.map(({ body }) => body.queries?.length)).toEqual([2, 2, 2, 2, 2])
    expect(waits).toHaveLength(4)
    for (const [attempt, wait] of waits.entries()) expect(wait).toBeLessThanOrEqual(50 * 2 ** attempt)
  })

  it('is UNAVAILABLE after the fifth deadlock', async () => {
    answers = Array.from({ length: 5 }, () => refuse('40P01'))
    await expect(open().write([one])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(calls).toHaveLength(5)
  })
})

describe('a timeout', () => {
  it.each([
    ['without an answer', hang],
    ['in the middle of an answer', stall],
  ])('%s is UNAVAILABLE', async (_, silence) => {
    answers = [silence]
    await expect(open(100).write([one])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(calls).toHaveLength(1)
  })
})

describe('a ping', () => {
  it('answers nothing when the database does', async () => {
    expect(await open().ping(5_000)).toBeUndefined()
    expect(calls.map(({ body }) => body.queries)).toEqual([[{ query: 'select 1', params: [] }]])
  })

  it.each(failures)('is tried once with %s', async (_, failure) => {
    answers = [failure]
    await expect(open().ping(5_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(calls).toHaveLength(1)
  })

  it('has a timeout of its own', async () => {
    answers = [hang]
    await expect(open(60_000).ping(50)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

it('never lets the driver’s message out', async () => {
  answers = [refuse('XX000')]
  const { write, lines } = open()
  const error: unknown = await write([one]).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'INTERNAL', message: 'The database refused the change' })
  expect(lines.join()).not.toContain('canary')
})
