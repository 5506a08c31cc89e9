import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { NewApiKey } from '../../src/api-keys/schema.ts'
import type { Bindings } from '../../src/services.ts'
import type { Scope } from '../../src/shared/scopes.ts'
import { runQueue } from '../../workers/jobs.ts'
import { api } from './edge-api.ts'
import { sql } from './edge-sql.ts'

/** A key as its owner is shown it, once. */
export const newKey = async (token: string, scopes: Scope[], more: object = {}): Promise<NewApiKey> => {
  const reply = await api('POST', '/api/v1/api-keys', { token, body: { name: 'Warehouse', scopes, ...more } })
  return NewApiKey.parse(reply.data)
}

export const objectOf = (keyId: string) => env.API_KEYS.getByName(keyId)

/** Delivers the jobs that wait for the objects of these keys, as the queue would within a second or two. */
export const runRenewals = async (...keyIds: string[]): Promise<number> => {
  const rows = await sql<{ id: string }>(
    `select id from jobs where type = 'apiKey.renew' and state = 'pending' and payload->>'keyId' = any($1)`,
    [keyIds],
  )
  const context = createExecutionContext()
  const messages = rows.map(({ id }) => ({
    ...{ id, body: { id }, timestamp: new Date(), attempts: 1 },
    ack: () => undefined,
    retry: () => undefined,
  }))
  const batch = { queue: 'selvedge-jobs', messages, ackAll: () => undefined, retryAll: () => undefined }
  await runQueue(batch as unknown as MessageBatch, env, context)
  await waitOnExecutionContext(context)
  return rows.length
}

type Keys = Bindings['API_KEYS']

/** The real objects, and each call to them; `fails` names the methods whose calls are lost. */
export const watchedKeys = (fails: string[] = []) => {
  const calls: string[] = []
  const lose = (method: string): void => {
    calls.push(method)
    if (fails.includes(method)) throw new Error('The call was lost')
  }
  const keys: Keys = {
    getByName: (keyId) => {
      const stub = objectOf(keyId)
      return {
        async admit(request) {
          lose('admit')
          return await stub.admit(request)
        },
        async renew() {
          lose('renew')
          await stub.renew()
        },
        async revoke() {
          lose('revoke')
          await stub.revoke()
        },
      }
    },
  }
  return { calls, keys }
}
