import { z } from '@hono/zod-openapi'
import { onError } from '../http/errors.ts'
import { json, jsonBody } from '../http/openapi.ts'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import {
  AbortedMultipart,
  BeginMultipart,
  BegunMultipart,
  CompletedMultipart,
  CompleteMultipart,
  multipartParam,
  OfMultipart,
  partParam,
  SignedPart,
  StoredParts,
} from './schema.direct.ts'

// The operations of Uppy's Companion, as @uppy/aws-s3 calls them; their replies have no envelope.

const begin = userRoute({
  method: 'post',
  path: '/',
  operationId: 'beginMultipartUpload',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'Begin an upload in parts straight to the store (Uppy)',
  limits: 'upload',
  request: { body: jsonBody(BeginMultipart) },
  responses: { 200: json(BegunMultipart, 'What the following calls name it by') },
  errors: ['DIRECT_UPLOAD_OFF', 'QUOTA_EXCEEDED'],
})

const signPart = userRoute({
  method: 'get',
  path: '/{uploadId}/{partNumber}',
  operationId: 'signUploadPart',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'A URL for the PUT of a part',
  request: { params: partParam, query: OfMultipart },
  responses: { 200: json(SignedPart, 'The URL, and for how long it may be used') },
  errors: ['DIRECT_UPLOAD_OFF'],
})

const listParts = userRoute({
  method: 'get',
  path: '/{uploadId}',
  operationId: 'listUploadParts',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'The parts that have arrived; what is not listed is sent again',
  request: { params: multipartParam, query: OfMultipart },
  responses: { 200: json(StoredParts, 'The parts') },
  errors: ['DIRECT_UPLOAD_OFF'],
})

const complete = userRoute({
  method: 'post',
  path: '/{uploadId}/complete',
  operationId: 'completeMultipartUpload',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'Make the parts one file; again, it answers the same',
  request: { params: multipartParam, query: OfMultipart, body: jsonBody(CompleteMultipart) },
  responses: { 200: json(CompletedMultipart, 'Its bytes are checked, and its scan begins') },
  errors: ['UPLOAD_INCOMPLETE'],
})

const abort = userRoute({
  method: 'delete',
  path: '/{uploadId}',
  operationId: 'abortMultipartUpload',
  action: 'uploads.make',
  tags: ['uploads'],
  summary: 'End an upload in parts that is not complete',
  request: { params: multipartParam, query: OfMultipart },
  responses: { 200: json(AbortedMultipart, 'Nothing is left of it') },
})

const Failed = z.looseObject({ error: z.looseObject({ message: z.string(), requestId: z.string() }) })

const router = createRouter()

// Uppy shows people the `message` at the top of a failure.
router.onError(async (error, c) => {
  const response = await onError(error, c)
  const body = Failed.parse(await response.json())
  const { message, requestId } = body.error
  return Response.json(
    { ...body, message, requestId },
    { status: response.status, headers: new Headers(response.headers) },
  )
})

export const multipartRoutes = router
  .openapi(begin, async (c) =>
    c.json(await c.var.services.multipartUploads.begin(c.var.actor, c.req.valid('json')), 200),
  )
  .openapi(signPart, async (c) => {
    const { uploadId, partNumber } = c.req.valid('param')
    const named = { uploadId, ...c.req.valid('query') }
    return c.json(await c.var.services.multipartUploads.signPart(c.var.actor, named, partNumber), 200)
  })
  .openapi(listParts, async (c) => {
    const named = { ...c.req.valid('param'), ...c.req.valid('query') }
    return c.json(await c.var.services.multipartUploads.listParts(c.var.actor, named), 200)
  })
  .openapi(complete, async (c) => {
    const named = { ...c.req.valid('param'), ...c.req.valid('query') }
    const { parts } = c.req.valid('json')
    const { id } = await c.var.services.multipartUploads.complete(c.var.actor, named, parts)
    return c.json({ location: new URL(`/api/v1/uploads/${id}`, c.req.url).href, id }, 200)
  })
  .openapi(abort, async (c) => {
    const named = { ...c.req.valid('param'), ...c.req.valid('query') }
    await c.var.services.multipartUploads.abort(c.var.actor, named)
    return c.json({}, 200)
  })
