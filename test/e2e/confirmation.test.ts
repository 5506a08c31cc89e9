import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createApi } from '../support/api.ts'
import { startResend } from '../support/resend.ts'
import { startStack, type Stack } from '../support/stack.ts'

/** As a customer of the seed, with a request id of our own. */
const placeOrder = async ({ api: base, info }: Stack, requestId: string) => {
  const api = createApi(base)
  const login = info().logins.find(({ role }) => role === 'user')
  const token = await api.login({ email: login?.email ?? '', password: login?.password ?? '' })
  const { body: found } = await api.call('GET', '/api/v1/products?inStock=true&limit=1')
  const response = await fetch(`${base}/api/v1/orders`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      'x-request-id': requestId,
    },
    body: JSON.stringify({ items: [{ productId: found.data[0].id, quantity: 1 }] }),
  })
  return {
    status: response.status,
    calls: /db;dur=[\d.]+;desc="(\d+)"/.exec(response.headers.get('server-timing') ?? '')?.[1],
    email: login?.email,
  }
}

const withStack = async (
  env: Record<string, string>,
  work: (stack: Stack, resend: Awaited<ReturnType<typeof startResend>>) => Promise<void>,
) => {
  const resend = await startResend()
  const stack = await startStack({ env: { RESEND_BASE_URL: resend.url, ...env } })
  try {
    await work(stack, resend)
  } finally {
    await stack.stop()
    await resend.close()
  }
}

const untilSent = async ({ mails }: Awaited<ReturnType<typeof startResend>>) => {
  while (mails().length === 0) await sleep(100)
}

it('an order costs one call to the database, and is confirmed once by mail, also when mail was down at the time', async () => {
  await withStack({}, async (stack, resend) => {
    resend.meet({ drop: true })
    const placed = await placeOrder(stack, 'confirmation-1')
    expect(placed).toMatchObject({ status: 201, calls: '1' })
    await untilSent(resend)
    // Whatever else the queue and the sweeper may still bring.
    await sleep(3_000)
    // The one that was lost, and the one that was taken; a busy machine may ask again, by the same key.
    expect(resend.requests()).toBeGreaterThanOrEqual(2)
    expect(resend.mails()).toMatchObject([
      { body: { to: placed.email, headers: { 'X-Request-Id': 'confirmation-1' } } },
    ])
  })
})

it('a stack without queues, as previews are, does the work after the response', async () => {
  await withStack({ JOB_RUNNER: 'inline' }, async (stack, resend) => {
    const placed = await placeOrder(stack, 'confirmation-2')
    expect(placed).toMatchObject({ status: 201, calls: '1' })
    await untilSent(resend)
    expect(resend.mails()).toMatchObject([
      { asked: 1, body: { headers: { 'X-Request-Id': 'confirmation-2' } } },
    ])
    expect(stack.output()).not.toContain('queue=selvedge-jobs')
  })
})
