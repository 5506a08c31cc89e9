import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { UserActor } from '../../shared/actor.ts'
import { createPartBuffers } from '../part-buffers.ts'
import type { Upload } from '../schema.ts'
import type { Incoming } from './incoming.ts'
import { createReceiver } from './receive.ts'

type Deps = Parameters<typeof createReceiver>[0]

const actor: UserActor = { kind: 'user', id: 'u', role: 'user', sessionId: 's' }

const signature = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

const bodyOf = (...chunks: Uint8Array[]): ReadableStream =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })

const incoming = (body: ReadableStream, length?: number): Incoming => ({
  ...{ body, length, contentType: 'image/png', fileName: 'a.png' },
  ...{ contentDigest: undefined, clientId: undefined },
})

const away = () => Promise.reject(new Error('R2 is away'))

/** A receiver whose neighbours do what they should, but for what the test says. */
const open = ({
  store = {},
  uploads = {},
  buffers = 8,
}: {
  store?: object
  uploads?: object
  buffers?: number
}) => {
  const abandoned: string[] = []
  const discarded: unknown[] = []
  let ids = 0
  const receive = createReceiver({
    uploads: {
      begin: (_: unknown, { id }: { id: string }) =>
        Promise.resolve({ isNew: true, upload: { id } as Upload }),
      hold: () => Promise.resolve(true),
      finish: (_: unknown, id: string) => Promise.resolve({ isMine: true, upload: { id } as Upload }),
      abandon(id: string) {
        abandoned.push(id)
        return Promise.resolve({ remains: { uploadId: id, multipartId: null }, upload: undefined })
      },
      ...uploads,
    },
    store: {
      async stream(_key: string, _type: string, length: number, source: AsyncGenerator<Uint8Array>) {
        while (!(await source.next()).done);
        return { size: length, etag: 'e' }
      },
      put: (_key: string, _type: string, bytes: Uint8Array) =>
        Promise.resolve({ size: bytes.length, etag: 'e' }),
      multipart: away,
      remove: away,
      ...store,
    },
    discard: (remains: unknown) => {
      discarded.push(remains)
      return Promise.resolve()
    },
    partBuffers: createPartBuffers({ limit: buffers, patience: 200 }),
    dispatcher: { draft: () => ({ id: 'job' }), send: () => undefined },
    settings: { maxBytes: 100_000_000, quota: { files: 1, bytes: 1 } },
    newId: () => `upload-${++ids}`,
    after: () => undefined,
    log: { warn: () => undefined },
  } as unknown as Deps)
  return { receive: async (file: Incoming) => await receive(actor, file), abandoned, discarded }
}

describe('while the store is away', () => {
  it.each([
    ['a file of known length', signature.length, { stream: away }],
    ['a small one of unknown length', undefined, { put: away }],
  ])('%s is 503, and its row does not stay', async (_, length, store) => {
    const { receive, abandoned, discarded } = open({ store })
    await expect(receive(incoming(bodyOf(signature), length))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(abandoned).toEqual(['upload-1'])
    expect(discarded).toEqual([{ uploadId: 'upload-1', multipartId: null }])
  })

  it('a large one of unknown length is, at its beginning and in its middle, and is aborted', async () => {
    const large = [signature, new Uint8Array(6_000_000), new Uint8Array(6_000_000)]
    let aborted = 0
    const failing = {
      multipart: () =>
        Promise.resolve({
          uploadId: 'm',
          uploadPart: away,
          abort: () => Promise.resolve(void aborted++),
        }),
    }
    for (const store of [{ multipart: away }, failing]) {
      const { receive, abandoned } = open({ store })
      await expect(receive(incoming(bodyOf(...large)))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      expect(abandoned).toEqual(['upload-1'])
    }
    expect(aborted).toBe(1)
  })

  it('lets its buffer go: the next one has it', async () => {
    const { receive } = open({ buffers: 1, store: { put: away } })
    for (let n = 0; n < 3; n++) {
      await expect(receive(incoming(bodyOf(signature)))).rejects.toMatchObject({ message: /store/ })
    }
  })
})

it('leaves the row to the sweep when the database is away too', async () => {
  const { receive, discarded } = open({ store: { stream: away }, uploads: { abandon: away } })
  await expect(receive(incoming(bodyOf(signature), signature.length))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
  expect(discarded).toEqual([])
})

it('holds parts for a bounded number of requests; one more waits, and is refused when none ends in time', async () => {
  let underWay = 0
  let most = 0
  const put = async () => {
    most = Math.max(most, ++underWay)
    await sleep(120)
    underWay--
    return { size: signature.length, etag: 'e' }
  }
  const { receive } = open({ buffers: 2, store: { put } })
  const send = (): Promise<unknown> =>
    receive(incoming(bodyOf(signature))).then(
      () => 'taken',
      (error: { code: string }) => error.code,
    )
  const outcomes = await Promise.all(Array.from({ length: 12 }, send))
  expect(most).toBe(2)
  expect(new Set(outcomes)).toEqual(new Set(['taken', 'UNAVAILABLE']))
  expect(await send()).toBe('taken')
})
