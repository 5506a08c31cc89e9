import { describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { sleep } from '../../src/shared/backoff.ts'
import { addMembers, connect, openSupport } from '../support/edge-chat.ts'
import { newUser } from '../support/edge-rows.ts'

/** A customer, the shop, and their conversation. */
const world = async () => {
  const [customer, admin] = [await newUser(), await newUser({ role: 'admin' })]
  const id = await openSupport(customer)
  await addMembers(admin, id, admin)
  return { customer, admin, id }
}

describe('a message', () => {
  it('is acknowledged, and reaches everyone with the same place in the log', async () => {
    const { customer, admin, id } = await world()
    const [ada, shop] = [await connect(customer, id), await connect(admin, id, { batch: true })]
    const clientId = newId()
    ada.say({ type: 'send', clientId, content: 'When will it arrive?' })
    const ack = await ada.next('ack')
    const heard = await shop.next('message')
    expect(heard).toMatchObject({
      seq: ack.seq,
      id: ack.id,
      clientId,
      from: customer.id,
      content: 'When will it arrive?',
    })
    expect(await ada.next('message')).toEqual(heard)
  })

  it('sent again under its clientId is acknowledged again, and stored once', async () => {
    const { customer, id } = await world()
    const ada = await connect(customer, id)
    const clientId = newId()
    for (let n = 0; n < 3; n++) ada.say({ type: 'send', clientId, content: 'once' })
    await ada.until('three acks', () =>
      ada.single().filter(({ type }) => type === 'ack').length === 3 ? true : undefined,
    )
    await sleep(20)
    expect(ada.log().filter(({ type }) => type === 'message')).toHaveLength(1)
    expect(new Set(ada.single().flatMap((frame) => (frame.type === 'ack' ? [frame.id] : []))).size).toBe(1)
  })
})
