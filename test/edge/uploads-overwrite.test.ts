import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { complete, pngOf, presign, putTo } from '../support/edge-direct.ts'
import { expectSettled, historyOf, process, rowOf } from '../support/edge-pipeline.ts'
import { newUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

/** Of the same size: what was signed of the PUT admits these bytes too, wherever nobody looks at the checksum. */
const [clean, evil] = [pngOf(10_000, 1), pngOf(10_000, 2)]

const uploaded = async () => {
  const { token } = await newUser()
  const presigned = await presign(token, clean)
  expect((await putTo(presigned, clean)).status).toBe(200)
  expect((await complete(token, presigned.id)).status).toBe(200)
  const [job] = await sql<{ id: string }>(
    `update jobs set state = 'running', attempt = 1, lease_until = now() + interval '1 hour'
      where subject_id = $1 and type = 'upload.process' returning id`,
    [presigned.id],
  )
  return { presigned, token, id: presigned.id, jobId: job?.id ?? '' }
}

describe('a signed PUT that is sent again with other bytes', () => {
  it('after the upload is complete makes the job reject it, and nothing of it is ever served', async () => {
    const upload = await uploaded()
    expect((await putTo(upload.presigned, evil)).status).toBe(200)
    await process(upload)
    await expectSettled(upload.id, 'rejected')
    expect(await rowOf(upload.id)).toMatchObject({ reason: 'overwritten', scan: null, variants: null })
  })

  it('after the scan has found it clean, before it is promoted, is rejected', async () => {
    const upload = await uploaded()
    await process(upload, ({ images }) => ({
      images: {
        ...images,
        async measure(...args) {
          expect((await putTo(upload.presigned, evil)).status).toBe(200)
          return await images.measure(...args)
        },
      },
    }))
    await expectSettled(upload.id, 'rejected')
    expect(await historyOf(upload.id)).toEqual(['receiving', 'scanning', 'processing', 'rejected'])
    expect(await rowOf(upload.id)).toMatchObject({ reason: 'overwritten', scan: 'clean', variants: null })
    expect((await env.FILES.list({ prefix: `files/${upload.id}/` })).objects).toEqual([])
  })

  it('before it is complete is what complete looks at', async () => {
    const { token } = await newUser()
    const presigned = await presign(token, clean)
    await putTo(presigned, clean)
    await putTo(presigned, evil)
    expect(await complete(token, presigned.id)).toMatchObject({ status: 422, code: 'DIGEST_MISMATCH' })
    await putTo(presigned, clean)
    expect(await complete(token, presigned.id)).toMatchObject({ status: 422, code: 'DIGEST_MISMATCH' })
  })
})
