import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { LaterError } from '../../src/shared/later-error.ts'
import { plainWebpSize } from '../../src/uploads/webp.ts'
import {
  allOf,
  bytesOf,
  encoded,
  firstPixel,
  gif,
  pdf,
  photographed,
  png,
  streamOf,
} from '../support/edge-images.ts'
import {
  expectSettled,
  historyOf,
  objectsOf,
  process,
  quarantined,
  rowOf,
  type Parts,
} from '../support/edge-pipeline.ts'
import { jobsOf } from '../support/edge-reports.ts'
import { sql } from '../support/edge-sql.ts'

const bytesAt = async (key: string): Promise<Uint8Array> => {
  const object = await env.FILES.get(key)
  if (object === null) throw new Error(`There is no ${key}`)
  return await allOf(object.body)
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const whole = ['receiving', 'scanning', 'processing', 'ready']

describe('an upload', () => {
  it('that is an image becomes WebP in three sizes, and what came in is deleted', async () => {
    const upload = await quarantined(png(1_600, 900), 'image/png')
    await process(upload)
    const variants = await expectSettled(upload.id, 'ready')
    expect(variants).toMatchObject({
      thumb: { type: 'image/webp', width: 150, height: 150 },
      medium: { type: 'image/webp', width: 800, height: 450 },
      full: { type: 'image/webp', width: 1_600, height: 900 },
    })
    expect(await rowOf(upload.id)).toMatchObject({ scan: 'clean', reason: null, made: null })
    expect(await historyOf(upload.id)).toEqual(whole)
    for (const { key, width, height } of Object.values(variants)) {
      expect(plainWebpSize((await bytesAt(key)).subarray(0, 30))).toEqual({ width, height })
      const object = await env.FILES.head(key)
      expect(object?.httpMetadata?.cacheControl).toBe('private, max-age=31536000, immutable')
    }
  })

  it.each(['image/jpeg', 'image/webp'] as const)(
    'that is %s does so too, and is never enlarged',
    async (type) => {
      const upload = await quarantined(await encoded(png(300, 200), type), type)
      await process(upload)
      expect(await expectSettled(upload.id, 'ready')).toMatchObject({
        thumb: { width: 150, height: 150 },
        medium: { width: 300, height: 200 },
        full: { width: 300, height: 200 },
      })
    },
  )

  it('that is a GIF does so too', async () => {
    const upload = await quarantined(gif(100), 'image/gif')
    await process(upload)
    expect(await expectSettled(upload.id, 'ready')).toMatchObject({ full: { width: 1, height: 1 } })
  })

  it('that a camera made is turned upright, and says nothing of camera and place any more', async () => {
    // Red on the left: turned by orientation 6, it is on top.
    const image = png(400, 200, (x) => (x < 200 ? [255, 0, 0] : [0, 0, 255]))
    const photo = await photographed(image, 6)
    expect(latin1(photo)).toContain('SecretMaker')
    const upload = await quarantined(photo, 'image/jpeg')
    await process(upload)
    const { full, medium, thumb } = await expectSettled(upload.id, 'ready')
    expect(full).toMatchObject({ width: 200, height: 400 })
    for (const variant of [full, medium, thumb]) {
      const bytes = await bytesAt(variant?.key ?? '')
      expect(latin1(bytes)).not.toMatch(/exif|SecretMaker|GPS|xmp/i)
    }
    const top = await env.IMAGES.input(streamOf(await bytesAt(full?.key ?? '')))
      .transform({ width: 200, height: 20, fit: 'cover', gravity: 'top' })
      .output({ format: 'image/png' })
    const [red = 0, , blue = 0] = firstPixel(await allOf(top.image()))
    expect(red).toBeGreaterThan(200)
    expect(blue).toBeLessThan(50)
  })

  it('that is a PDF is kept as it is', async () => {
    const bytes = pdf('x'.repeat(100_000))
    const upload = await quarantined(bytes, 'application/pdf')
    await process(upload)
    const { original } = await expectSettled(upload.id, 'ready')
    expect(original).toMatchObject({ type: 'application/pdf', size: bytes.length })
    expect(latin1(await bytesAt(original?.key ?? ''))).toBe(latin1(bytes))
  })

  it('that is a PDF of two parts is kept as it is', async () => {
    const bytes = pdf('x'.repeat(5_500_000))
    const upload = await quarantined(bytes, 'application/pdf')
    await process(upload)
    const { original } = await expectSettled(upload.id, 'ready')
    const digest = async (data: Uint8Array<ArrayBuffer>) =>
      latin1(new Uint8Array(await crypto.subtle.digest('SHA-256', data)))
    expect(await digest(new Uint8Array(await bytesAt(original?.key ?? '')))).toBe(await digest(bytes))
  })

  it('is marked as not scanned where there is no scanner, never as clean', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    await process(upload, () => ({ scanner: undefined }))
    expect(await rowOf(upload.id)).toMatchObject({ state: 'ready', scan: 'skipped' })
  })

  it('costs one measurement and one transformation for each size', async () => {
    const upload = await quarantined(png(4, 4), 'image/png')
    const calls: string[] = []
    await process(upload, ({ images }) => ({
      images: {
        measure: (source) => (calls.push('measure'), images.measure(source)),
        transform: (source, variant) => (calls.push(variant), images.transform(source, variant)),
      },
    }))
    expect(calls).toEqual(['measure', 'thumb', 'medium', 'full'])
  })
})

describe('an infected upload', () => {
  const infected = () => ({
    scanner: {
      scan: async () => await Promise.resolve({ status: 'infected' as const, signature: 'Evil.Test' }),
    },
  })

  it('is deleted, and its owner and the operators are told once', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    await process(upload, infected)
    await process(upload, infected)
    await expectSettled(upload.id, 'infected')
    expect(await rowOf(upload.id)).toMatchObject({ signature: 'Evil.Test', scan: null })
    expect(await historyOf(upload.id)).toEqual(['receiving', 'scanning', 'infected'])
    const file = { id: upload.id, name: 'photo.jpg', found: 'Evil.Test' }
    const mails = (await jobsOf(upload.id, 'mail.send')).map(({ payload }) => payload)
    expect(mails).toHaveLength(2)
    for (const template of ['fileInfected', 'infectedAlert']) {
      expect(mails).toContainEqual({ template, userId: upload.owner.id, file })
    }
    const alerts = (await jobsOf(upload.id, 'ops.alert')).map(({ payload }) => payload)
    expect(alerts).toEqual([{ infected: upload.id, ownerId: upload.owner.id, found: 'Evil.Test' }])
  })
})

describe('an upload that was written over', () => {
  const overwrite = async (id: string) => void (await env.FILES.put(`quarantine/${id}`, png(9, 9)))

  it('before the scan is rejected', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    await overwrite(upload.id)
    await process(upload)
    await expectSettled(upload.id, 'rejected')
    expect(await rowOf(upload.id)).toMatchObject({ reason: 'overwritten', scan: null })
  })

  it.each(['measure', 'transform'] as const)(
    'after the scan, before it is read to %s, is rejected',
    async (step) => {
      const upload = await quarantined(png(2, 2), 'image/png')
      let once = true
      await process(upload, ({ images }) => ({
        images: {
          ...images,
          async [step](...args: [never, never]) {
            if (once) await overwrite(upload.id)
            once = false
            return await (images[step] as (...args: unknown[]) => Promise<never>)(...args)
          },
        } as Parts['images'],
      }))
      await expectSettled(upload.id, 'rejected')
      expect(await rowOf(upload.id)).toMatchObject({ reason: 'overwritten', scan: 'clean' })
    },
  )

  it('when one size of it is there already is rejected, and that size is deleted', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    await process(upload, ({ uploads }) => ({
      uploads: {
        ...uploads,
        async note(...args) {
          await overwrite(upload.id)
          return await uploads.note(...args)
        },
      },
    }))
    await expectSettled(upload.id, 'rejected')
  })

  it('is not noticed without the ETag, which is what this test is worth', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    await process(upload, ({ store, uploads }) => ({
      store: { ...store, read: async (key) => (await env.FILES.get(key))?.body },
      uploads: {
        ...uploads,
        async scanned(...args) {
          await overwrite(upload.id)
          return await uploads.scanned(...args)
        },
      },
    }))
    expect(await rowOf(upload.id)).toMatchObject({ state: 'ready', variants: { full: { width: 9 } } })
  })

  it('when it is ready is not read again', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    await process(upload)
    await overwrite(upload.id)
    await process(upload)
    await expectSettled(upload.id, 'ready')
  })
})

describe('a scanner that is away', () => {
  it('leaves the file in quarantine, for later', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    const away = () => ({
      scanner: { scan: () => Promise.reject(new LaterError('The scanner cannot be reached')) },
    })
    await expect(process(upload, away)).rejects.toThrow(LaterError)
    expect(await rowOf(upload.id)).toMatchObject({ state: 'scanning', scan: null })
    expect(await objectsOf(upload.id)).toEqual([`quarantine/${upload.id}`])
    await process(upload)
    await expectSettled(upload.id, 'ready')
  })
})

describe('an image service that is away', () => {
  it('leaves the file in quarantine, scanned, for later', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    const scans: string[] = []
    const away = (real: Parts) => ({
      images: {
        ...real.images,
        transform: () => Promise.reject(new LaterError('The image service is away')),
      },
      scanner: {
        scan: async (...args: Parameters<NonNullable<Parts['scanner']>['scan']>) => (
          scans.push('scan'),
          await real.scanner!.scan(...args)
        ),
      },
    })
    await expect(process(upload, away)).rejects.toThrow(LaterError)
    await expect(process(upload, away)).rejects.toThrow(LaterError)
    expect(await rowOf(upload.id)).toMatchObject({ state: 'processing', scan: 'clean' })
    expect(scans).toHaveLength(1)
    await process(upload)
    await expectSettled(upload.id, 'ready')
  })
})

describe('an upload that its owner deletes meanwhile', () => {
  it('leaves no object', async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    const deleted = process(upload, ({ images }) => ({
      images: {
        ...images,
        async transform(source, variant) {
          const result = await images.transform(source, variant)
          await sql('delete from uploads where id = $1', [upload.id])
          await env.FILES.delete(`quarantine/${upload.id}`)
          return result
        },
      },
    }))
    await expect(deleted).rejects.toThrow('Another run has taken hold')
    expect(await objectsOf(upload.id)).toEqual([])
    await process(upload)
  })

  it('is not begun by a job that is not running', async () => {
    const upload = await quarantined(bytesOf('x'), 'image/png')
    await sql(`update jobs set state = 'pending', lease_until = null where id = $1`, [upload.jobId])
    await expect(process(upload)).rejects.toThrow('not whole, or another job has it')
    expect(await rowOf(upload.id)).toMatchObject({ state: 'scanning' })
  })
})
