import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { created, dataOf, json, jsonBody } from '../http/openapi.ts'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { Presign, Presigned } from './schema.direct.ts'
import { Upload } from './schema.ts'

const presign = userRoute({
  method: 'post',
  path: '/presign',
  operationId: 'presignUpload',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'Begin an upload by one PUT straight to the store',
  limits: 'upload',
  request: { body: jsonBody(Presign) },
  responses: { 201: created(Presigned, 'The request that the client sends to the store') },
  errors: ['DIRECT_UPLOAD_OFF', 'QUOTA_EXCEEDED', 'IDEMPOTENCY_NOT_SUPPORTED'],
})

const complete = userRoute({
  method: 'post',
  path: '/{id}/complete',
  operationId: 'completeUpload',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'Say that the PUT is done; again, it answers with the upload as it then is',
  request: { params: idParam },
  responses: { 200: json(dataOf(Upload), 'The upload: its bytes are checked, and its scan begins') },
  errors: ['UPLOAD_INCOMPLETE', 'DIGEST_MISMATCH', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE'],
})

export const directUploadRoutes = createRouter()
  .openapi(presign, async (c) => {
    refuseIdempotencyKey(c)
    const data = await c.var.services.directUploads.presign(c.var.actor, c.req.valid('json'))
    c.header('Location', `/api/v1/uploads/${data.id}`)
    return c.json({ data }, 201)
  })
  .openapi(complete, async (c) =>
    c.json({ data: await c.var.services.directUploads.complete(c.var.actor, c.req.valid('param').id) }, 200),
  )
