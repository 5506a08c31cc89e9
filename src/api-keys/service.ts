import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { Draft } from '../jobs/outbox.ts'
import type { Actor, KeyActor } from '../shared/actor.ts'
import { grantable } from '../shared/can.ts'
import { describeError } from '../shared/describe-error.ts'
import { AppError, found, invalid, notFound } from '../shared/errors.ts'
import { paginate, type PageRequest } from '../shared/page.ts'
import { plans, type Plan } from '../shared/plans.ts'
import type { Quota } from '../shared/policies.ts'
import type { Admission, KeyVerdict, PlanLimits } from './protocol.ts'
import type { createRefusals, Refusal } from './refusals.ts'
import type { ApiKeyRepository } from './repository.ts'
import type { ApiKey, ApiKeyUsage, CreateApiKey, NewApiKey, RotateApiKey } from './schema.ts'
import type { Secret, Secrets } from './secret.ts'
import type { KeyStore } from './store.ts'

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  keys: ApiKeyRepository
  store: KeyStore
  secrets: Secrets
  refusals: ReturnType<typeof createRefusals>
  limits: Record<`key.${Plan}`, Quota>
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
  requestId: string
  log: { warn: Log; error: Log }
}

/** A request with a key: who it is, and what is left of the limit (`retryMs` above 0: nothing). */
export type Admitted = { actor: KeyActor; verdict: Omit<KeyVerdict, 'plan'> & { name: `key.${Plan}` } }

const unavailable = (cause?: unknown): AppError =>
  new AppError('UNAVAILABLE', 'API keys cannot be checked now', { cause, headers: { 'Retry-After': '2' } })

const crowded = (): AppError =>
  new AppError('RATE_LIMITED', 'Too many requests at once', { headers: { 'Retry-After': '1' } })

/** A scope that can never be of use to an account is a mistake of whoever asks for it. */
const checkScopes = ({ role }: Actor, scopes: CreateApiKey['scopes']): void => {
  const allowed = grantable(role)
  const details = scopes.flatMap((scope, n) =>
    allowed.has(scope) ? [] : [{ field: `scopes.${n}`, message: 'is for keys of administrators' }],
  )
  if (details.length > 0) throw invalid(...details)
}

const checkExpiry = (expiresAt: string | undefined): void => {
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
    throw invalid({ field: 'expiresAt', message: 'must be in the future' })
  }
}

export const createApiKeyService = (deps: Deps) => {
  const { keys, store, secrets, refusals, limits, dispatcher, newId, requestId, log } = deps

  const planLimits = Object.fromEntries(
    plans.map((plan) => {
      const { points, duration } = limits[`key.${plan}`]
      return [plan, { points, windowMs: duration * 1_000 }]
    }),
  ) as PlanLimits

  const renewalOf = (keyId: string): Draft =>
    dispatcher.draft({ type: 'apiKey.renew', payload: { keyId } }, keyId)

  /** Before the answer; what is lost here the job brings, and until then the actor guard knows. */
  const told = async (keyId: string, call: Promise<void>): Promise<void> => {
    try {
      await call
    } catch (error) {
      log.warn('object of an API key not told', { keyId, error: describeError(error) })
    }
  }

  const ask = async ({ keyId, hash }: Secret): Promise<Refusal | Extract<Admission, { owner: unknown }>> => {
    const recalled = refusals.recall(hash, Date.now())
    if (recalled !== undefined) return recalled
    const admission = await store
      .admit(keyId, { hash, limits: planLimits, requestId })
      .catch((error: unknown) => {
        log.error('object of an API key is away', { keyId, error: describeError(error) })
        throw unavailable(error)
      })
    if (admission.outcome === 'crowded') throw crowded()
    if (admission.outcome === 'unknowable') throw unavailable()
    if (admission.outcome !== 'admitted') refusals.remember(hash, admission, Date.now())
    return admission
  }

  return {
    /** Whether this was once made here; whether it still is good only `authenticate` knows. No call. */
    isGenuine: (token: string): boolean => secrets.read(token) !== undefined,

    /**
     * One call to the key's object: who it is, whether it lives, and a point of its limit. Undefined when it is no key,
     * has ended or has expired; what was never a key costs no call.
     * @throws UNAVAILABLE when neither the object nor the database can tell
     */
    async authenticate(token: string): Promise<Admitted | undefined> {
      const secret = secrets.read(token)
      if (secret === undefined) return undefined
      const admission = await ask(secret)
      if (!('owner' in admission)) return undefined
      const { userId: id, role, scopes } = admission.owner
      const { plan, ...verdict } = admission.verdict
      return {
        actor: { kind: 'apiKey', id, role, scopes, keyId: secret.keyId, secretHash: secret.hash },
        verdict: { name: `key.${plan}`, ...verdict },
      }
    },

    async create(actor: Actor, { name, scopes, expiresAt }: CreateApiKey): Promise<NewApiKey> {
      checkScopes(actor, scopes)
      checkExpiry(expiresAt)
      const id = newId()
      const { key, hash } = secrets.make(id)
      const made = await keys.create(actor, { id, name, scopes, expiresAt, hash }, requestId)
      return { ...made, key }
    },

    async list(actor: Actor, query: PageRequest) {
      const { data, counted } = await keys.list(actor, query)
      return { data, pagination: paginate(query, counted) }
    },

    get: async (actor: Actor, id: string): Promise<ApiKey> => found('API key', await keys.find(actor, id)),

    async revoke(actor: Actor, id: string): Promise<void> {
      const renewal = renewalOf(id)
      if (!(await keys.revoke(actor, id, renewal))) throw notFound('API key')
      await told(id, store.revoke(id))
      dispatcher.send([renewal])
    },

    async rotate(actor: Actor, id: string, { overlapSeconds }: RotateApiKey): Promise<NewApiKey> {
      const { key, hash } = secrets.make(id)
      const renewal = renewalOf(id)
      const rotated = found('API key', await keys.rotate(actor, { id, hash, overlapSeconds, renewal }))
      await told(id, store.renew(id))
      dispatcher.send([renewal])
      return { ...rotated, key }
    },

    usage: async (actor: Actor, id: string, days: number): Promise<ApiKeyUsage[]> =>
      found('API key', await keys.usage(actor, id, days)),

    /** The handler of `apiKey.renew`: the row of the key, or its owner's, has changed. */
    renew: ({ keyId }: { keyId: string }): Promise<void> => store.renew(keyId),

    purgeExpired: keys.purgeExpired,
  }
}
