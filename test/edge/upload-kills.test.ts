import { describe, expect, it } from 'vitest'
import { pdf, png } from '../support/edge-images.ts'
import {
  expectSettled,
  historyOf,
  process,
  quarantined,
  rowOf,
  type Parts,
  type Quarantined,
} from '../support/edge-pipeline.ts'

const killed = new Error('killed')

/** What happens at a call: the process dies once it has had its effect, or it fails without one. */
type Mishap = 'kill' | 'failure'

/** Every call that leaves the process, by name, until one of them goes wrong. */
const witness = (mishap?: { at: number; kind: Mishap }) => {
  const calls: string[] = []
  let isDead = false
  const watch = <T extends object>(name: string, port: T): T =>
    Object.fromEntries(
      Object.entries(port).map(([method, call]) => [
        method,
        async (...args: unknown[]): Promise<unknown> => {
          if (isDead) throw killed
          calls.push(`${name}.${method}`)
          const isIt = calls.length - 1 === mishap?.at
          if (isIt && mishap.kind === 'failure') throw killed
          const result = await (call as (...args: unknown[]) => Promise<unknown>)(...args)
          if (!isIt) return result
          isDead = true
          throw killed
        },
      ]),
    ) as T
  const change = (real: Parts): Partial<Parts> => ({
    uploads: watch('uploads', real.uploads),
    store: watch('store', real.store),
    images: watch('images', real.images),
    ...(real.scanner && { scanner: watch('scanner', real.scanner) }),
  })
  return { calls, change }
}

const countOf = (calls: string[], call: string): number => calls.filter((one) => one === call).length

type Change = (real: Parts) => Partial<Parts>

const untouched: Change = () => ({})

const both =
  (first: Change, second: Change): Change =>
  (real) => {
    const changed = { ...real, ...first(real) }
    return { ...first(real), ...second(changed) }
  }

/** A run in which that goes wrong, and another that finds what it has left. Answers all calls of both. */
const goOnAfter = async (upload: Quarantined, at: number, kind: Mishap, mutation = untouched) => {
  const first = witness({ at, kind })
  const second = witness()
  await expect(process(upload, both(mutation, first.change))).rejects.toThrow('killed')
  await process(upload, both(mutation, second.change))
  return [...first.calls, ...second.calls]
}

/** What no kill may change. */
const expectWhole = async (upload: Quarantined, calls: string[]): Promise<void> => {
  await expectSettled(upload.id, 'ready')
  expect(await historyOf(upload.id)).toEqual(['receiving', 'scanning', 'processing', 'ready'])
  // Only what was under way is done again.
  expect(countOf(calls, 'images.transform')).toBeLessThanOrEqual(4)
  expect(countOf(calls, 'scanner.scan')).toBeLessThanOrEqual(2)
}

/** The calls of a run, in their order. */
const variant = (...work: string[]): string[] => [...work, 'store.keep', 'uploads.note']
const scan = ['uploads.take', 'scanner.scan', 'store.read', 'uploads.scanned']
const transform = variant('images.transform', 'store.read')
const end = ['uploads.complete', 'store.list', 'store.remove']
const inspection = ['images.measure', 'store.read', 'store.read']

const kinds = [
  ['image/png', png(3, 3), [...scan, ...inspection, ...transform, ...transform, ...transform, ...end]],
  ['application/pdf', pdf(), [...scan, ...variant('store.read'), ...end]],
] as const

describe.each(kinds)('a run over a file of type %s', (type, bytes, calls) => {
  it('makes these calls', async () => {
    const run = witness()
    await process(await quarantined(bytes, type), run.change)
    // Which of the scanner and the store is first told of it is nobody's business.
    expect(run.calls.toSorted()).toEqual(calls.toSorted())
    expect(run.calls.slice(4)).toEqual(calls.slice(4))
  })

  it.each(calls.map((call, at) => [at, call] as const))(
    'that is killed after call %d, %s, is followed by one that ends it',
    async (at) => {
      const upload = await quarantined(bytes, type)
      await expectWhole(upload, await goOnAfter(upload, at, 'kill'))
    },
  )

  const different = calls.flatMap((call, at) => (calls.indexOf(call) === at ? [[at, call] as const] : []))

  it.each(different)('that fails at call %d, %s, is followed by one that ends it', async (at) => {
    const upload = await quarantined(bytes, type)
    await expectWhole(upload, await goOnAfter(upload, at, 'failure'))
  })
})

describe('these kills notice', () => {
  const [[type, bytes, calls]] = kinds

  const expectHarm = async (call: string, mutation: Change): Promise<void> => {
    const upload = await quarantined(bytes, type)
    const work = async () =>
      await expectWhole(upload, await goOnAfter(upload, calls.lastIndexOf(call), 'kill', mutation))
    await expect(work()).rejects.toThrow()
  }

  it('a run that does not record what it has made', async () => {
    await expectHarm('uploads.note', ({ uploads }) => ({
      uploads: { ...uploads, note: async () => await Promise.resolve(true) },
    }))
  })

  it('quarantine that is deleted before the row is ready', async () => {
    await expectHarm('uploads.note', ({ uploads, store }) => ({
      uploads: {
        ...uploads,
        async note(run, ...made) {
          await store.remove([`quarantine/${run.uploadId}`])
          return await uploads.note(run, ...made)
        },
      },
    }))
  })

  it('a run that leaves what another has begun', async () => {
    await expectHarm('store.keep', ({ store }) => ({
      store: { ...store, list: async () => await Promise.resolve({ objects: [], more: false }) },
    }))
  })
})

describe('two runs', () => {
  it('at once make one upload', async () => {
    for (let n = 0; n < 2; n++) {
      const upload = await quarantined(png(3, 3), 'image/png')
      const outcomes = await Promise.allSettled([process(upload), process(upload), process(upload)])
      expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
      await expectSettled(upload.id, 'ready')
      expect(await historyOf(upload.id)).toEqual(['receiving', 'scanning', 'processing', 'ready'])
    }
  })

  const calls: [keyof Parts & ('uploads' | 'store' | 'images'), string][] = [
    ['uploads', 'scanned'],
    ['images', 'measure'],
    ['images', 'transform'],
    ['store', 'keep'],
    ['uploads', 'note'],
    ['uploads', 'complete'],
  ]

  /** One run stops before a call, another comes and ends, and then the first goes on. */
  const overtake = async (port: 'uploads' | 'store' | 'images', method: string, mutation = untouched) => {
    const upload = await quarantined(png(3, 3), 'image/png')
    let isFirst = true
    const late = process(
      upload,
      both(mutation, (real) => {
        const call = Reflect.get(real[port], method) as (...args: unknown[]) => Promise<unknown>
        return {
          [port]: {
            ...real[port],
            [method]: async (...args: unknown[]) => {
              if (isFirst) {
                isFirst = false
                await process(upload)
              }
              return await call(...args)
            },
          },
        }
      }),
    )
    await late.catch(() => undefined)
    return upload
  }

  it.each(calls)('of which one is overtaken before %s.%s make one upload', async (port, method) => {
    const upload = await overtake(port, method)
    await expectSettled(upload.id, 'ready')
    expect(await historyOf(upload.id)).toEqual(['receiving', 'scanning', 'processing', 'ready'])
  })

  it('would harm one another if they did not ask whether they still hold the row', async () => {
    const unfenced: Change = ({ uploads }) => ({
      uploads: { ...uploads, note: async () => await Promise.resolve(true) },
    })
    const upload = await overtake('store', 'keep', unfenced)
    await expect(expectSettled(upload.id, 'ready')).rejects.toThrow()
  })

  it('of which the late one finds a virus that the other did not change nothing', async () => {
    const upload = await quarantined(png(3, 3), 'image/png')
    const late = process(upload, () => ({
      scanner: {
        async scan() {
          await process(upload)
          return { status: 'infected', signature: 'Late.Test' }
        },
      },
    }))
    await expect(late).rejects.toThrow('Another run has taken hold')
    await expectSettled(upload.id, 'ready')
    expect((await rowOf(upload.id)).signature).toBeNull()
  })
})
