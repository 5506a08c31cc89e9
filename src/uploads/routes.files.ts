import { fileHeaders, fileResponses, sendFile } from '../http/file.ts'
import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { dataOf, json, jsonBody } from '../http/openapi.ts'
import { guestRoute, userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { FileLink, fileParam, LinkQuery, MakeLink } from './schema.files.ts'

const read = guestRoute({
  method: 'get',
  path: '/{id}/{variant}',
  operationId: 'getFile',
  action: 'files.read',
  tags: ['uploads'],
  summary: 'A variant of a file: your own, of your conversations, of a product, or by a signed link',
  request: { params: fileParam, query: LinkQuery, headers: fileHeaders },
  responses: fileResponses(
    ['image/webp', 'application/pdf'],
    'The image, to be shown, or the PDF, to be saved',
  ),
  errors: ['FILE_NOT_READY', 'RANGE_NOT_SATISFIABLE'],
  limits: 'file',
})

const makeLink = userRoute({
  method: 'post',
  path: '/{id}/links',
  operationId: 'makeFileLink',
  action: 'uploads.share',
  tags: ['uploads'],
  summary: 'A link that opens one variant for whoever has it, such as in a mail',
  request: { params: idParam, body: jsonBody(MakeLink) },
  responses: { 200: json(dataOf(FileLink), 'The link; deleting the upload ends it') },
  errors: ['FILE_NOT_READY', 'IDEMPOTENCY_NOT_SUPPORTED'],
})

export const fileRoutes = createRouter().openapi(read, async (c) => {
  const file = c.var.services.files.open(c.var.actor, c.req.valid('param'), c.req.valid('query'))
  return await sendFile(c, await file)
})

/** Below the uploads that they open. */
export const linkRoutes = createRouter().openapi(makeLink, async (c) => {
  refuseIdempotencyKey(c)
  const { variant, expiresIn } = c.req.valid('json')
  const target = { id: c.req.valid('param').id, variant }
  const { path, expiresAt } = await c.var.services.files.link(c.var.actor, target, expiresIn)
  return c.json({ data: { url: new URL(path, c.req.url).href, expiresAt } }, 200)
})
