import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createDatabase } from '../../src/db/client.ts'
import { createImages } from '../../src/uploads/images.ts'
import type { MediaType } from '../../src/uploads/media-type.ts'
import { createPipelineRepository } from '../../src/uploads/pipeline-repository.ts'
import { createUploadPipeline } from '../../src/uploads/pipeline.ts'
import type { Scanner } from '../../src/uploads/scanner.ts'
import { createUploadStore } from '../../src/uploads/store.ts'
import type { StoredVariants } from '../../src/uploads/variant.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { startOnce } from '../../workers/api.ts'
import { newJob } from './edge-jobs.ts'
import { contextOf } from './edge-reports.ts'
import { newUser } from './edge-rows.ts'
import { insert, sql } from './edge-sql.ts'

export type Parts = Parameters<typeof createUploadPipeline>[0]

/** Finds nothing, having read all. */
export const cleanScanner: Scanner = {
  async scan({ body, size }) {
    let read = 0
    for await (const chunk of body) read += chunk.length
    expect(read).toBe(size)
    return { status: 'clean' }
  },
}

/** The pipeline as the Worker has it, with a scanner that finds nothing, some of its parts replaced. */
export const pipelineWith = (change: (real: Parts) => Partial<Parts> = () => ({})) => {
  const { log } = startOnce(env)
  const database = createDatabase(readConfig(env).database, { log, meter: newMeter() })
  const real: Parts = {
    uploads: createPipelineRepository(database),
    store: createUploadStore(env.FILES),
    images: createImages(env.IMAGES),
    scanner: cleanScanner,
    dispatcher: { send: () => undefined },
    ...{ newId, log },
  }
  return createUploadPipeline({ ...real, ...change(real) })
}

/** An upload whose bytes are whole, and its job, which is running. */
export const quarantined = async (bytes: Uint8Array, mediaType: MediaType) => {
  const owner = await newUser()
  const id = newId()
  const object = await env.FILES.put(`quarantine/${id}`, bytes)
  const etag = object?.etag
  const jobId = await newJob({
    type: 'upload.process',
    payload: { uploadId: id },
    state: 'running',
    attempt: 1,
    lease_until: new Date(Date.now() + 3_600_000),
  })
  const now = new Date()
  await insert('uploads', [
    {
      ...{
        id,
        owner_id: owner.id,
        name: 'photo.jpg',
        declared_type: mediaType,
        media_type: mediaType,
        reserved: 0,
      },
      ...{
        size: bytes.length,
        sha256: 'a'.repeat(64),
        way: 'direct',
        state: 'scanning',
        etag,
        job_id: jobId,
      },
      ...{ created_at: now, updated_at: now },
    },
  ])
  await sql(`insert into upload_events (upload_id, state) values ($1, 'receiving'), ($1, 'scanning')`, [id])
  return { id, jobId, owner }
}

export type Quarantined = Awaited<ReturnType<typeof quarantined>>

export type UploadRow = {
  state: string
  scan: string | null
  signature: string | null
  reason: string | null
  variants: StoredVariants | null
  made: StoredVariants | null
}

export const rowOf = async (id: string): Promise<UploadRow> => {
  const [row] = await sql<UploadRow>(
    'select state, scan, signature, reason, variants, made from uploads where id = $1',
    [id],
  )
  if (row === undefined) throw new Error('There is no such upload')
  return row
}

export const historyOf = async (id: string): Promise<string[]> => {
  const rows = await sql<{ state: string }>(
    'select state from upload_events where upload_id = $1 order by id',
    [id],
  )
  return rows.map(({ state }) => state)
}

export const objectsOf = async (id: string): Promise<string[]> => {
  const [quarantine, files] = await Promise.all([
    env.FILES.list({ prefix: `quarantine/${id}` }),
    env.FILES.list({ prefix: `files/${id}/` }),
  ])
  return [...quarantine.objects, ...files.objects].map(({ key }) => key)
}

export const process = async (
  { id, jobId }: Pick<Quarantined, 'id' | 'jobId'>,
  change?: (real: Parts) => Partial<Parts>,
): Promise<void> => await pipelineWith(change)({ uploadId: id }, contextOf(jobId))

/** What is true of every upload whose outcome is there: the row leads to what exists, and nothing else exists. */
export const expectSettled = async (id: string, state: string): Promise<StoredVariants> => {
  const row = await rowOf(id)
  expect(row.state).toBe(state)
  const variants = row.variants ?? {}
  expect((await objectsOf(id)).toSorted()).toEqual(
    Object.values(variants)
      .map(({ key }) => key)
      .toSorted(),
  )
  for (const { key, size, etag, type } of Object.values(variants)) {
    const object = await env.FILES.head(key)
    expect({ size: object?.size, etag: object?.etag, type: object?.httpMetadata?.contentType }).toEqual({
      ...{ size, etag, type },
    })
  }
  return variants
}
