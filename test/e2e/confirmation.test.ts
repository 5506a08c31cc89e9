import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createApi } from '../support/api.ts'
import { startResend, type SentMail } from '../support/resend.ts'
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

type Resend = Awaited<ReturnType<typeof startResend>>

const withStack = async (
  resend: Resend,
  env: Record<string, string>,
  work: (stack: Stack) => Promise<void>,
) => {
  const stack = await startStack({ env: { RESEND_BASE_URL: resend.url, ...env } })
  try {
    await work(stack)
  } finally {
    await stack.stop()
    await resend.close()
  }
}

const isOf = (requestId: string, { headers }: SentMail['body']): boolean =>
  headers['X-Request-Id'] === requestId

/** The mails of one request, whatever else the stack may send. */
const untilSent = async ({ mails }: Resend, requestId: string) => {
  const sent = () => mails().filter(({ body }) => isOf(requestId, body))
  while (sent().length === 0) await sleep(100)
  return sent
}

it('an order costs one call to the database, and is confirmed once by mail, also when mail was down at the time', async () => {
  let asked = 0
  const resend = await startResend((mail) =>
    isOf('confirmation-1', mail) && ++asked === 1 ? { drop: true } : undefined,
  )
  await withStack(resend, {}, async (stack) => {
    const placed = await placeOrder(stack, 'confirmation-1')
    expect(placed).toMatchObject({ status: 201, calls: '1' })
    const sent = await untilSent(resend, 'confirmation-1')
    // Whatever else the queue and the sweeper may still bring.
    await sleep(3_000)
    // The one that was lost, and the one that was taken.
    expect(asked).toBe(2)
    expect(sent()).toMatchObject([{ asked: 1, body: { to: placed.email } }])
  })
})

it('a stack without queues, as previews are, does the work after the response', async () => {
  const resend = await startResend()
  await withStack(resend, { JOB_RUNNER: 'inline' }, async (stack) => {
    const placed = await placeOrder(stack, 'confirmation-2')
    expect(placed).toMatchObject({ status: 201, calls: '1' })
    const sent = await untilSent(resend, 'confirmation-2')
    expect(sent()).toMatchObject([{ asked: 1, body: { to: placed.email } }])
    const queued = stack
      .output()
      .split('\n')
      .filter((line) => line.includes('queue=selvedge-jobs'))
    expect(queued.filter((line) => line.includes('requestId=confirmation-2'))).toEqual([])
  })
})
