import { z } from '@hono/zod-openapi'
import { pageFields, reachIssue, sortField, Uuid, withinReach } from '../shared/query.ts'
import { mediaTypes } from './media-type.ts'
import { scanVerdicts, uploadStates } from './state.ts'
import { variantNames } from './variant.ts'

const status = z.enum(uploadStates)

const Variant = z.object({
  name: z.enum(variantNames),
  url: z.string().describe('404 FILE_NOT_READY until the upload is ready'),
  type: z.string().optional().describe('From here on: once it is ready'),
  size: z.int().optional().describe('Bytes'),
  width: z.int().optional(),
  height: z.int().optional(),
})

const id = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17'

export const Upload = z
  .object({
    id: z.uuid(),
    ownerId: z.uuid(),
    name: z.string(),
    type: z.enum(mediaTypes).describe('As declared, until the bytes have told'),
    size: z.int().nullable().describe('Bytes; null until it is whole'),
    sha256: z.string().nullable().describe('Hexadecimal'),
    status,
    scan: z.enum(scanVerdicts).nullable().describe('skipped: no scanner is set up; null until it is scanned'),
    reason: z
      .string()
      .nullable()
      .describe(
        'Why it is rejected (too_large, too_many_frames, unreadable, overwritten, more_bytes, other_bytes, other_type) or ' +
          'has failed (given_up, object_missing); of an infected one the name of the signature',
      ),
    variants: z.array(Variant),
    history: z.array(
      z.object({ status, at: z.iso.datetime(), detail: z.string().nullable() }).describe('Oldest first'),
    ),
    createdAt: z.iso.datetime(),
  })
  .openapi('Upload', {
    example: {
      id,
      ownerId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
      name: 'linen tablecloth.jpg',
      type: 'image/jpeg',
      size: 2_481_013,
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      status: 'scanning',
      scan: null,
      reason: null,
      variants: [
        { name: 'thumb', url: `/api/v1/files/${id}/thumb` },
        { name: 'medium', url: `/api/v1/files/${id}/medium` },
        { name: 'full', url: `/api/v1/files/${id}/full` },
      ],
      history: [
        { status: 'receiving', at: '2026-11-19T10:00:00.000Z', detail: null },
        { status: 'scanning', at: '2026-11-19T10:00:02.000Z', detail: null },
      ],
      createdAt: '2026-11-19T10:00:00.000Z',
    },
  })

export type Upload = z.infer<typeof Upload>

export const ListUploads = z
  .strictObject({
    ...pageFields,
    status: status.optional(),
    ownerId: Uuid.optional().describe('For administrators; all others see their own'),
    sort: sortField(['createdAt'], '-createdAt'),
  })
  .refine(withinReach, reachIssue)

export type ListUploads = z.infer<typeof ListUploads>

export const UploadHeaders = z.object({
  'x-upload-id': Uuid.optional().openapi({
    description:
      "The client's own id of the upload: sent again, it is answered with the same upload and Idempotency-Replayed",
    example: '5f6c2a8e-6f0e-4c4a-9d55-3f1f6f2f9f17',
  }),
  'x-file-name': z
    .string()
    .optional()
    .openapi({ description: 'For a raw body: percent-encoded UTF-8', example: 'linen%20tablecloth.jpg' }),
  'content-digest': z.string().optional().openapi({
    description: 'RFC 9530: the SHA-256 of the body; other bytes are refused',
    example: 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
  }),
})

export const SweepUploads = z
  .strictObject({ dryRun: z.boolean().default(true).describe('true: nothing is changed') })
  .openapi('SweepUploads', { example: { dryRun: true } })

const Found = z.object({ count: z.int(), samples: z.array(z.string()).describe('Ten at most') })

const nothing = { count: 0, samples: [] }

export const SweepOutcome = z
  .object({
    dryRun: z.boolean(),
    objects: z.int().describe('Objects that were looked at'),
    orphans: Found.describe('Keys of objects that no row needs, older than a day'),
    stale: Found.describe('Ids of uploads that nobody sends any more'),
    ownerless: Found.describe(
      'Ids of uploads whose accounts were deleted a month ago, and that nothing shows',
    ),
    remains: Found.describe('Ids of deleted uploads whose objects were still there'),
    missing: Found.describe('Keys that a row needs and that are not there: the upload has failed'),
    isComplete: z.boolean().describe('false: the time was up before all had been looked at'),
  })
  .openapi('SweepOutcome', {
    example: {
      dryRun: true,
      objects: 1_204,
      orphans: { count: 1, samples: [`quarantine/${id}`] },
      stale: nothing,
      ownerless: nothing,
      remains: nothing,
      missing: nothing,
      isComplete: true,
    },
  })

export type SweepOutcome = z.infer<typeof SweepOutcome>
