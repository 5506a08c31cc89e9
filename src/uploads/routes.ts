import { created, dataOf, json, listOf, noContent } from '../http/openapi.ts'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { ListUploads, Upload, UploadHeaders } from './schema.ts'

const binary = { type: 'string', format: 'binary' } as const

const receive = userRoute({
  method: 'post',
  path: '/',
  operationId: 'uploadFile',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'Send a file: as the field "file" of a form, or as the body itself with its type and X-File-Name',
  limits: 'upload',
  streams: true,
  request: {
    headers: UploadHeaders,
    body: {
      required: true,
      description: 'JPEG, PNG, WebP, GIF or PDF',
      content: {
        'multipart/form-data': {
          schema: { type: 'object', required: ['file'], properties: { file: binary } },
        },
        'image/*': { schema: binary },
        'application/pdf': { schema: binary },
      },
    },
  },
  responses: { 201: created(Upload, 'The upload; its variants can be read once it is ready') },
  errors: ['MALFORMED_FORM', 'UPLOAD_STALLED', 'UPLOAD_IN_FLIGHT', 'QUOTA_EXCEEDED', 'DIGEST_MISMATCH'],
})

const list = userRoute({
  method: 'get',
  path: '/',
  operationId: 'listUploads',
  action: 'uploads.read',
  tags: ['uploads'],
  summary: "One's own uploads; administrators see all",
  request: { query: ListUploads },
  responses: { 200: json(listOf(Upload), 'A page of uploads') },
})

const get = userRoute({
  method: 'get',
  path: '/{id}',
  operationId: 'getUpload',
  action: 'uploads.read',
  tags: ['uploads'],
  summary: 'An upload, how far it is, and how it got there',
  request: { params: idParam },
  responses: { 200: json(dataOf(Upload), 'The upload') },
})

const remove = userRoute({
  method: 'delete',
  path: '/{id}',
  operationId: 'deleteUpload',
  action: 'uploads.remove',
  tags: ['uploads'],
  summary: 'Delete an upload and its variants',
  request: { params: idParam },
  responses: { 204: noContent },
  errors: ['FILE_IN_USE'],
})

const lengthOf = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined

export const uploadRoutes = createRouter()
  .openapi(receive, async (c) => {
    const { isNew, upload } = await c.var.services.receive(c.var.actor, {
      body: c.req.raw.body,
      contentType: c.req.header('Content-Type'),
      length: lengthOf(c.req.header('Content-Length')),
      fileName: c.req.header('X-File-Name'),
      contentDigest: c.req.header('Content-Digest'),
      clientId: c.req.valid('header')['x-upload-id'],
    })
    if (!isNew) c.header('Idempotency-Replayed', 'true')
    c.header('Location', `/api/v1/uploads/${upload.id}`)
    return c.json({ data: upload }, 201)
  })
  .openapi(list, async (c) =>
    c.json(await c.var.services.uploads.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.uploads.get(c.var.actor, c.req.valid('param').id) }, 200),
  )
  .openapi(remove, async (c) => {
    await c.var.services.uploads.remove(c.var.actor, c.req.valid('param').id)
    return c.body(null, 204)
  })
