import { z } from '@hono/zod-openapi'
import { displayNameOf } from './file-name.ts'

const FileName = z.string().min(1).max(1_000).transform(displayNameOf)

const exampleKey = 'quarantine/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17'

export const Presign = z
  .strictObject({
    name: FileName.openapi({ type: 'string' }),
    type: z.string().max(255).describe('Of JPEG, PNG, WebP, GIF or PDF'),
    size: z.int().min(1).describe('Bytes, exactly'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
      .transform((digits) => digits.toLowerCase())
      .openapi({ type: 'string' }),
  })
  .openapi('PresignUpload', {
    example: {
      name: 'linen tablecloth.jpg',
      type: 'image/jpeg',
      size: 2_481_013,
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    },
  })

export type Presign = z.infer<typeof Presign>

export const Presigned = z
  .object({
    id: z.uuid(),
    method: z.literal('PUT'),
    url: z.url().describe('Of the store, not of this API: send no Authorization there'),
    headers: z
      .record(z.string(), z.string())
      .describe(
        'To be sent as they are, and the file as the body; each is signed, like the size of the body',
      ),
    expiresAt: z.iso.datetime().describe('The PUT has to begin before'),
  })
  .openapi('PresignedUpload', {
    example: {
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17',
      method: 'PUT',
      url: `https://0123456789abcdef.r2.cloudflarestorage.com/selvedge-files/${exampleKey}?X-Amz-Signature=…`,
      headers: {
        'Content-Type': 'image/jpeg',
        'x-amz-checksum-sha256': 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
      },
      expiresAt: '2026-11-19T10:15:00.000Z',
    },
  })

export type Presigned = z.infer<typeof Presigned>

/** Of @uppy/aws-s3; what it knows of the file beside these two says nothing here. */
export const BeginMultipart = z
  .object({
    filename: FileName.openapi({ type: 'string' }),
    type: z.string().max(255),
    metadata: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('BeginMultipartUpload', {
    example: { filename: 'catalogue.pdf', type: 'application/pdf', metadata: { name: 'catalogue.pdf' } },
  })

export type BeginMultipart = z.infer<typeof BeginMultipart>

export const BegunMultipart = z
  .object({ key: z.string(), uploadId: z.string() })
  .openapi('BegunMultipartUpload', { example: { key: exampleKey, uploadId: 'ANs5…' } })

const keyQuery = { key: z.string().min(1).max(1_024).openapi({ example: exampleKey }) }

export const OfMultipart = z.strictObject(keyQuery)

const uploadId = z
  .string()
  .min(1)
  .max(2_000)
  .openapi({ param: { name: 'uploadId', in: 'path' }, description: "R2's id of the upload" })

export const multipartParam = z.object({ uploadId })

export const partParam = z.object({
  uploadId,
  partNumber: z
    .string()
    .regex(/^[1-9]\d{0,4}$/)
    .transform(Number)
    .openapi({ param: { name: 'partNumber', in: 'path' }, type: 'integer', minimum: 1 }),
})

export const SignedPart = z
  .object({ url: z.url(), expires: z.int().describe('Seconds') })
  .openapi('SignedPart', {
    example: {
      url: 'https://account.r2.cloudflarestorage.com/selvedge-files/quarantine/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f51?partNumber=1&X-Amz-Signature=0f1e',
      expires: 900,
    },
  })

export const StoredParts = z
  .array(z.object({ PartNumber: z.int(), Size: z.int(), ETag: z.string() }))
  .openapi('StoredParts', { example: [{ PartNumber: 1, Size: 5_242_880, ETag: '"9b2c…"' }] })

const CompletedPart = z.object({ PartNumber: z.int().min(1).max(10_000), ETag: z.string().min(1).max(256) })

export type CompletedPart = z.infer<typeof CompletedPart>

const areDifferent = (parts: readonly CompletedPart[]): boolean =>
  new Set(parts.map(({ PartNumber }) => PartNumber)).size === parts.length

export const CompleteMultipart = z
  .object({
    parts: z.array(CompletedPart).min(1).max(10_000).refine(areDifferent, 'names a part twice'),
  })
  .openapi('CompleteMultipartUpload', {
    example: { parts: [{ PartNumber: 1, ETag: '"9b2cf535f27731c974343645a3985328"' }] },
  })

export const CompletedMultipart = z
  .object({ location: z.url().describe('Where the upload can be asked for'), id: z.uuid() })
  .openapi('CompletedMultipartUpload', {
    example: {
      location: 'https://api.example.com/api/v1/uploads/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f51',
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f51',
    },
  })

export const AbortedMultipart = z.object({}).openapi('AbortedMultipartUpload', { example: {} })
