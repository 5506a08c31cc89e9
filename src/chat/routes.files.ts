import { dataOf, json, jsonBody, noContent } from '../http/openapi.ts'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { AttachedFile } from './protocol.ts'
import { AddFiles, conversationFileParams } from './schema.files.ts'

const add = userRoute({
  method: 'post',
  path: '/{id}/files',
  operationId: 'addConversationFiles',
  action: 'conversations.write',
  tags: ['conversations'],
  summary: 'Bring files of yours in, to be sent in messages; again changes nothing',
  description:
    'From then on the members may read them, also those who join later, and they cannot be deleted. They are let go when ' +
    'the last message that shows them is removed, or when you take them out before one does.',
  request: { params: idParam, body: jsonBody(AddFiles) },
  responses: { 200: json(dataOf(AttachedFile.array()), 'As messages will show them, in your order') },
  errors: ['CONVERSATION_CLOSED'],
})

const remove = userRoute({
  method: 'delete',
  path: '/{id}/files/{uploadId}',
  operationId: 'removeConversationFile',
  action: 'conversations.write',
  tags: ['conversations'],
  summary: 'Take a file of yours out again that no message shows',
  request: { params: conversationFileParams },
  responses: { 204: noContent },
  errors: ['FILE_IN_USE'],
})

export const conversationFileRoutes = createRouter()
  .openapi(add, async (c) => {
    const { uploadIds } = c.req.valid('json')
    const files = await c.var.services.conversationFiles.add(c.var.actor, c.req.valid('param').id, uploadIds)
    return c.json({ data: files }, 200)
  })
  .openapi(remove, async (c) => {
    const { id, uploadId } = c.req.valid('param')
    await c.var.services.conversationFiles.remove(c.var.actor, id, uploadId)
    return c.body(null, 204)
  })
