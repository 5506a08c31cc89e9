import { env } from 'cloudflare:workers'
import { inject } from 'vitest'
import { Webhook } from 'standardwebhooks'
import { readConfig } from '../../src/config.ts'
import { createServices } from '../../src/services.ts'
import { newId } from '../../src/shared/ids.ts'
import { createLogger } from '../../src/shared/logger.ts'
import { newMeter } from '../../src/shared/meter.ts'
import type { MailOrder } from '../../src/jobs/catalog.ts'
import { api } from './edge-api.ts'
import { insert, sql } from './edge-sql.ts'
import { newCategory, newProduct, newUser } from './edge-rows.ts'

export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

type Run = { id?: string; requestId?: string; env?: Partial<Env>; signal?: AbortSignal }

/** Runs a `mail.send` job by the Worker's own service; answers its id and what it cost in calls to the database. */
export const runMailJob = async (
  mail: MailOrder,
  { id = newId(), requestId = newId(), ...run }: Run = {},
) => {
  const meter = newMeter()
  const config = readConfig({ ...env, ...run.env })
  const log = createLogger({ level: config.logLevel, pretty: true })
  const signal = run.signal ?? new AbortController().signal
  const context = { log, meter, origin: { requestId, traceparent }, after: () => undefined }
  await createServices(config, env)(context).mail.send(mail, { id, requestId, traceparent, signal })
  return { id, requestId, calls: meter.calls }
}

type Delivery = {
  template: string
  user_id: string | null
  recipient: string | null
  status: string
  provider_id: string | null
  problem: string | null
  request_id: string
}

export const deliveryOf = async (jobId: string): Promise<Delivery | undefined> => {
  const columns = 'template, user_id, recipient, status, provider_id, problem, request_id'
  const [row] = await sql<Delivery>(`select ${columns} from mail_deliveries where job_id = $1`, [jobId])
  return row
}

/** An order of one product of a new customer. */
export const newOrder = async ({ name = 'Ada Byron', email = `${newId()}@people.example` } = {}) => {
  const user = await newUser({ name, email })
  const { id: categoryId } = await newCategory()
  const product = await newProduct({ categoryId, name: 'Linen tablecloth', price: '79.90' })
  const orderId = newId()
  await insert('orders', [
    { id: orderId, user_id: user.id, status: 'paid', total: '159.80', ...createdNow() },
  ])
  await insert('order_items', [
    {
      order_id: orderId,
      position: 0,
      product_id: product.id,
      name: product.name,
      quantity: 2,
      unit_price: '79.90',
    },
  ])
  return { orderId, user, confirmed: { template: 'orderConfirmed', orderId } as const }
}

const createdNow = () => ({ created_at: new Date().toISOString(), updated_at: new Date().toISOString() })

type Told = { id?: string; secret?: string; at?: Date; headers?: Record<string, string> }

/** What the provider would post, signed as it signs. */
export const tell = async (
  message: unknown,
  { id = `msg_${newId()}`, at = new Date(), ...told }: Told = {},
) => {
  const raw = typeof message === 'string' ? message : JSON.stringify(message)
  const signature = new Webhook(told.secret ?? inject('webhookSecret')).sign(id, at, raw)
  return await api('POST', '/api/webhooks/resend', {
    raw,
    headers: {
      'Content-Type': 'application/json',
      'svix-id': id,
      'svix-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'svix-signature': signature,
      ...told.headers,
    },
  })
}

/** An event as Resend documents it. */
export const eventOf = (type: string, emailId: string | null, data: object = {}) => ({
  type,
  created_at: '2026-11-20T12:00:03.000Z',
  data: {
    created_at: '2026-11-20T12:00:00.000Z',
    email_id: emailId,
    from: 'Selvedge <mail@selvedge.test>',
    to: ['ada@people.example'],
    subject: 'Your order',
    ...data,
  },
})
