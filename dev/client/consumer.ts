// What a user of `selvedge/client` writes: compiled against the built types by `npm run check`, never run.
import { ApiError, ChatError, createChat, createClient, type RoomMessage } from '../../src/client/index.ts'

const client = createClient({ url: 'https://api.example.com' })

export const shop = async () => {
  const found = await client.get('/api/v1/products', { params: { query: { q: 'linen', limit: 3 } } })
  const name: string | undefined = found.data[0]?.name
  const total: number = (await client.get('/api/v1/products')).pagination.total
  const params = { header: { 'idempotency-key': 'mine' } }
  const placed = await client.post('/api/v1/orders', {
    body: { items: [{ productId: 'p', quantity: 1 }] },
    params,
  })
  const nothing: undefined = await client.delete('/api/auth/sessions/{id}', { params: { path: { id: 's' } } })
  // @ts-expect-error -- the id is missing
  await client.get('/api/v1/orders/{id}')
  // @ts-expect-error -- there is no such path
  await client.get('/api/v1/nothing')
  // @ts-expect-error -- there is no such field
  await client.post('/api/v1/orders', { body: { itemz: [] } })
  return [name, total, placed.data.status, nothing]
}

export const talk = async () => {
  const chat = createChat({ url: 'https://api.example.com', getTicket: () => Promise.resolve('t') })
  const room = chat.join('c')
  const attachments = await client.addFiles('c', ['u'])
  const { seq } = await room.send('hello', { attachments })
  // @ts-expect-error -- an id is no file that was brought
  await room.send('hello', { attachments: ['u'] })
  room.on('receipt', ({ marks }) => marks.map(({ read }) => read - seq))
  for await (const event of room) {
    if (event.type === 'message') event.content.toUpperCase()
    // @ts-expect-error -- a frame, and no event
    if (event.type === 'batch') return
  }
  const shown: readonly RoomMessage[] = room.view.messages
  return shown
}

export const codeOf = (error: unknown) => {
  if (error instanceof ApiError && error.code === 'OUT_OF_STOCK') return error.requestId
  if (error instanceof ChatError && error.code === 'CONVERSATION_CLOSED') return error.message
  // @ts-expect-error -- there is no such code
  return error instanceof ApiError && error.code === 'NONE'
}
