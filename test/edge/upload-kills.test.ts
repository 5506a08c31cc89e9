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

type Moment = 'before' | 'after'

/** Every call that leaves the process, by name. After the chosen one nothing happens any more, as after a kill. */
const witness = (kill?: { at: number; moment: Moment }) => {
  const calls: string[] = []
  let isDead = false
  const watch = <T extends object>(name: string, port: T): T =>
    Object.fromEntries(
      Object.entries(port).map(([method, call]) => [
        method,
        async (...args: unknown[]): Promise<unknown> => {
          if (isDead) throw killed
          calls.push(`${name}.${method}`)
          const isLast = calls.length - 1 === kill?.at
          if (isLast && kill?.moment === 'before') {
            isDead = true
            throw killed
          }
          const result = await (call as (...args: unknown[]) => Promise<unknown>)(...args)
          if (isLast) {
            isDead = true
            throw killed
          }
          return result
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

/** A run that is killed there, and another that finds what it has left. Answers all calls of both. */
const killAndGoOn = async (upload: Quarantined, at: number, moment: Moment, mutation = untouched) => {
  const first = witness({ at, moment })
  const second = witness()
  await expect(process(upload, both(mutation, first.change))).rejects.toThrow('killed')
  await process(upload, both(mutation, second.change))
  return [...first.calls, ...second.calls]
}

const moments: Moment[] = ['before', 'after']

/** What no kill may change. */
const expectWhole = async (upload: Quarantined, calls: string[]): Promise<void> => {
  await expectSettled(upload.id, 'ready')
  expect(await historyOf(upload.id)).toEqual(['receiving', 'scanning', 'processing', 'ready'])
  // Only what was under way is done again.
  expect(countOf(calls, 'images.transform')).toBeLessThanOrEqual(4)
  expect(countOf(calls, 'scanner.scan')).toBeLessThanOrEqual(2)
}

const kinds = [
  ['image/png', png(3, 3), 18],
  ['application/pdf', pdf(), 9],
] as const

describe.each(kinds)('a run that is killed, of a file of type %s', (type, bytes, steps) => {
  it('makes so many calls', async () => {
    const { calls, change } = witness()
    await process(await quarantined(bytes, type), change)
    expect(calls).toHaveLength(steps)
  })

  it.each(Array.from({ length: steps }, (_, at) => at))(
    'at call %d is followed by one that ends it',
    async (at) => {
      for (const moment of moments) {
        const upload = await quarantined(bytes, type)
        await expectWhole(upload, await killAndGoOn(upload, at, moment))
      }
    },
  )
})

/** The first kill that breaks what must hold: a mutant that survives them all is a hole of these tests. */
const firstHarm = async (mutation: Change): Promise<number | undefined> => {
  for (let at = 0; at < 18; at++) {
    for (const moment of moments) {
      const upload = await quarantined(png(3, 3), 'image/png')
      try {
        await expectWhole(upload, await killAndGoOn(upload, at, moment, mutation))
      } catch {
        return at
      }
    }
  }
  return undefined
}

describe('these kills notice', () => {
  it('a run that does not record what it has made', async () => {
    const forgetful: Change = ({ uploads }) => ({
      uploads: { ...uploads, note: async () => await Promise.resolve(true) },
    })
    expect(await firstHarm(forgetful)).toBeDefined()
  })

  it('quarantine that is deleted before the row is ready', async () => {
    const hasty: Change = ({ uploads, store }) => ({
      uploads: {
        ...uploads,
        async complete(run, variants) {
          await store.remove([`quarantine/${run.uploadId}`])
          throw killed
        },
      },
    })
    expect(await firstHarm(hasty)).toBeDefined()
  })

  it('a run that leaves what another has begun', async () => {
    const untidy: Change = ({ store }) => ({
      store: { ...store, list: async () => await Promise.resolve({ objects: [], more: false }) },
    })
    expect(await firstHarm(untidy)).toBeDefined()
  })
})

describe('two runs', () => {
  it('at once make one upload', async () => {
    for (let n = 0; n < 3; n++) {
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
    const yes = async () => await Promise.resolve(true)
    const unfenced: Change = ({ uploads }) => ({ uploads: { ...uploads, note: yes, complete: yes } })
    const upload = await overtake('uploads', 'note', unfenced)
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
