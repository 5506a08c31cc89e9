import { describe, expect, it } from 'vitest'
import { createReportStore } from './store.ts'

type Bucket = Parameters<typeof createReportStore>[0]

const bucket = (change: Partial<Awaited<ReturnType<Bucket['createMultipartUpload']>>>) => {
  const told: string[] = []
  const upload = {
    uploadPart: async (partNumber: number, bytes: Uint8Array) => {
      told.push(`part ${partNumber} of ${bytes.length}`)
      return await Promise.resolve({ partNumber, etag: String(partNumber) })
    },
    complete: async (parts: unknown[]) => await Promise.resolve({ size: parts.length, etag: 'whole' }),
    abort: async () => {
      told.push('abort')
      await Promise.resolve()
    },
    ...change,
  }
  const of = { createMultipartUpload: async () => await Promise.resolve(upload) } as unknown as Bucket
  return { told, store: createReportStore(of) }
}

async function* bytes(sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield await Promise.resolve(new Uint8Array(size))
}

const mebibyte = 1024 * 1024

describe('the upload of a list', () => {
  it('has parts of 5 MiB', async () => {
    const { told, store } = bucket({})
    await store.upload('key', 'text/csv', bytes([3 * mebibyte, 4 * mebibyte, 4 * mebibyte]))
    expect(told).toEqual([`part 1 of ${5 * mebibyte}`, `part 2 of ${5 * mebibyte}`, `part 3 of ${mebibyte}`])
  })

  it('is aborted when its source fails', async () => {
    const { told, store } = bucket({})
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* bytes([6 * mebibyte])
      throw new Error('the database is away')
    }
    await expect(store.upload('key', 'text/csv', failing())).rejects.toThrow('the database is away')
    expect(told).toEqual([`part 1 of ${5 * mebibyte}`, 'abort'])
  })

  it.each(['uploadPart', 'complete'] as const)('is aborted when %s fails', async (method) => {
    const { told, store } = bucket({ [method]: () => Promise.reject(new Error('R2 is away')) })
    await expect(store.upload('key', 'text/csv', bytes([1]))).rejects.toThrow('R2 is away')
    expect(told.at(-1)).toBe('abort')
  })

  it('fails with its own reason when it cannot be aborted either', async () => {
    const failing = {
      complete: () => Promise.reject(new Error('first')),
      abort: () => Promise.reject(new Error()),
    }
    await expect(bucket(failing).store.upload('key', 'text/csv', bytes([1]))).rejects.toThrow('first')
  })
})
