import { z } from '@hono/zod-openapi'
import { pageFields, reachIssue, sortField, withinReach } from '../shared/query.ts'
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
    reason: z.string().nullable().describe('Why it is rejected or has failed; what an infected one holds'),
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
    ownerId: z.uuid().optional().describe('For administrators; all others see their own'),
    sort: sortField(['createdAt'], '-createdAt'),
  })
  .refine(withinReach, reachIssue)

export type ListUploads = z.infer<typeof ListUploads>
