import { created, dataOf, json, jsonBody, listOf, noContent } from '../http/openapi.ts'
import { adminRoute, userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { AddMember, Conversation, ConversationDetail, ConversationMember, ListConversations, MarkRead, memberParams, Message, MessagePage, OpenConversation, ReadMark, ReadMessages, SendHeaders, SendMessage } from './schema.ts' // prettier-ignore

const open = userRoute({
  method: 'post',
  path: '/',
  operationId: 'openConversation',
  action: 'conversations.open',
  tags: ['conversations'],
  summary: 'The conversation about an order, a product or with support: found, made, or opened again',
  request: { body: jsonBody(OpenConversation) },
  responses: {
    200: json(dataOf(ConversationDetail), 'It was there; you are a member, and it is open'),
    201: created(ConversationDetail, 'It was made'),
  },
  errors: ['NOT_FOUND'],
})

const list = userRoute({
  method: 'get',
  path: '/',
  operationId: 'listConversations',
  action: 'conversations.read',
  tags: ['conversations'],
  summary: 'Your conversations, or the shop’s inbox; the last active first',
  request: { query: ListConversations },
  responses: { 200: json(listOf(Conversation), 'A page of conversations') },
})

const get = userRoute({
  method: 'get',
  path: '/{id}',
  operationId: 'getConversation',
  action: 'conversations.read',
  tags: ['conversations'],
  summary: 'A conversation with its members',
  request: { params: idParam },
  responses: { 200: json(dataOf(ConversationDetail), 'The conversation') },
})

const readMessages = userRoute({
  method: 'get',
  path: '/{id}/messages',
  operationId: 'listMessages',
  action: 'conversations.read',
  tags: ['conversations'],
  summary: 'Messages, page by page from the newest back',
  request: { params: idParam, query: ReadMessages },
  responses: { 200: json(MessagePage, 'A page, oldest first') },
})

const send = userRoute({
  method: 'post',
  path: '/{id}/messages',
  operationId: 'sendMessage',
  action: 'conversations.write',
  tags: ['conversations'],
  summary: 'Send a message; who is connected has it at once',
  request: { params: idParam, headers: SendHeaders, body: jsonBody(SendMessage) },
  responses: { 201: json(dataOf(Message), 'The message, on disk') },
  errors: ['CONVERSATION_CLOSED', 'ATTACHMENT_REFUSED', 'IDEMPOTENCY_KEY_REUSED'],
})

const markRead = userRoute({
  method: 'put',
  path: '/{id}/read',
  operationId: 'markRead',
  action: 'conversations.write',
  tags: ['conversations'],
  summary: 'You have read everything up to this seq; never back, and not beyond the last',
  request: { params: idParam, body: jsonBody(MarkRead) },
  responses: { 200: json(dataOf(ReadMark), 'Your marks') },
})

const listMembers = userRoute({
  method: 'get',
  path: '/{id}/members',
  operationId: 'listMembers',
  action: 'conversations.read',
  tags: ['conversations'],
  summary: 'Who takes part',
  request: { params: idParam },
  responses: { 200: json(dataOf(ConversationMember.array()), 'At most 500') },
})

const addMember = adminRoute({
  method: 'post',
  path: '/{id}/members',
  operationId: 'addMember',
  action: 'conversations.addMember',
  tags: ['conversations'],
  summary: 'Bring somebody in, or join yourself; again changes nothing',
  request: { params: idParam, body: jsonBody(AddMember) },
  responses: { 200: json(dataOf(ConversationDetail), 'The conversation with its members') },
  errors: ['CONVERSATION_FULL'],
})

const removeMember = adminRoute({
  method: 'delete',
  path: '/{id}/members/{userId}',
  operationId: 'removeMember',
  action: 'conversations.removeMember',
  tags: ['conversations'],
  summary: 'Take somebody out: their sockets are closed',
  request: { params: memberParams },
  responses: { 204: noContent },
})

const leave = userRoute({
  method: 'post',
  path: '/{id}/leave',
  operationId: 'leaveConversation',
  action: 'conversations.leave',
  tags: ['conversations'],
  summary: 'Leave; opening the same subject again brings you back',
  request: { params: idParam },
  responses: { 204: noContent },
})

const close = userRoute({
  method: 'post',
  path: '/{id}/close',
  operationId: 'closeConversation',
  action: 'conversations.close',
  tags: ['conversations'],
  summary: 'Close: no messages until somebody opens it again; again changes nothing',
  request: { params: idParam },
  responses: { 200: json(dataOf(ConversationDetail), 'The closed conversation') },
})

export const conversationRoutes = createRouter()
  .openapi(open, async (c) => {
    const { subject } = c.req.valid('json')
    const opened = await c.var.services.conversations.open(c.var.actor, subject)
    if (!opened.created) return c.json({ data: opened.conversation }, 200)
    c.header('Location', `/api/v1/conversations/${opened.conversation.id}`)
    return c.json({ data: opened.conversation }, 201)
  })
  .openapi(list, async (c) =>
    c.json(await c.var.services.conversations.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.conversations.get(c.var.actor, c.req.valid('param').id) }, 200),
  )
  .openapi(readMessages, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await c.var.services.conversations.messages(c.var.actor, id, c.req.valid('query')), 200)
  })
  .openapi(send, async (c) => {
    const { id } = c.req.valid('param')
    const clientId = c.req.valid('header')['idempotency-key']
    const sent = await c.var.services.conversations.send(c.var.actor, id, c.req.valid('json'), clientId)
    if (sent.replayed) c.header('Idempotency-Replayed', 'true')
    return c.json({ data: sent.message }, 201)
  })
  .openapi(markRead, async (c) => {
    const { id } = c.req.valid('param')
    const mark = await c.var.services.conversations.read(c.var.actor, id, c.req.valid('json').seq)
    return c.json({ data: mark }, 200)
  })
  .openapi(listMembers, async (c) => {
    const { members } = await c.var.services.conversations.get(c.var.actor, c.req.valid('param').id)
    return c.json({ data: members }, 200)
  })
  .openapi(addMember, async (c) => {
    const { id } = c.req.valid('param')
    const { userId } = c.req.valid('json')
    return c.json({ data: await c.var.services.conversations.addMember(c.var.actor, id, userId) }, 200)
  })
  .openapi(removeMember, async (c) => {
    const { id, userId } = c.req.valid('param')
    await c.var.services.conversations.removeMember(c.var.actor, id, userId)
    return c.body(null, 204)
  })
  .openapi(leave, async (c) => {
    await c.var.services.conversations.leave(c.var.actor, c.req.valid('param').id)
    return c.body(null, 204)
  })
  .openapi(close, async (c) =>
    c.json({ data: await c.var.services.conversations.close(c.var.actor, c.req.valid('param').id) }, 200),
  )
