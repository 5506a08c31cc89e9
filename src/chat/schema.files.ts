import { z } from '@hono/zod-openapi'
import { Uuid } from '../shared/query.ts'
import { limits } from './protocol.ts'

const id = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f31'
const uploadId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17'

export const AddFiles = z
  .strictObject({
    uploadIds: z
      .array(Uuid)
      .min(1)
      .max(limits.attachments)
      .superRefine((ids, context) => {
        for (const [n, one] of ids.entries()) {
          if (ids.indexOf(one) < n) context.addIssue({ code: 'custom', path: [n], message: 'is there twice' })
        }
      })
      .describe('Uploads of yours that have arrived whole: scanned or made ready they need not be')
      .openapi({ uniqueItems: true }),
  })
  .openapi('AddFiles', { example: { uploadIds: [uploadId] } })

export const conversationFileParams = z.object({
  id: Uuid.openapi({ param: { name: 'id', in: 'path' }, example: id }),
  uploadId: Uuid.openapi({ param: { name: 'uploadId', in: 'path' }, example: uploadId }),
})
