import createFetchClient, {
  type Client as FetchClient,
  type ClientPathsWithMethod,
  type MaybeOptionalInit,
  type MethodResponse,
} from 'openapi-fetch'
import { ApiError } from './api-error.ts'
import type { paths } from './openapi.ts'
import type { AttachedFile } from './room-types.ts'
import { createSend, type Send } from './send.ts'
import { createSession, memoryStore, type SessionStore } from './session.ts'

export type ClientOptions = {
  /** Of the API, such as https://api.example.com, without a path. */
  url: string
  /** How the refresh token travels: `cookie` for pages, where no script may see it. */
  transport?: 'json' | 'cookie'
  /** In memory by default: a new program logs in anew. */
  store?: SessionStore
  onEnded?: () => void
  fetch?: Send
}

export type Client = ReturnType<typeof createClient>

type Api = FetchClient<paths, 'application/json'>

type Method = 'get' | 'put' | 'post' | 'patch' | 'delete'

type InitOf<M extends Method, Path extends keyof paths> = MaybeOptionalInit<paths[Path], M>

/** An operation without a body answers undefined. */
type Answer<T> = [T] extends [never] ? undefined : T

type Call<M extends Method> = <Path extends ClientPathsWithMethod<Api, M>>(
  path: Path,
  ...init: undefined extends InitOf<M, Path> ? [init?: InitOf<M, Path>] : [init: InitOf<M, Path>]
) => Promise<Answer<MethodResponse<Api, M, Path>>>

/**
 * Every operation of docs/openapi.json, typed: `await client.get('/api/v1/products', { params: { query: { q: 'linen' } } })`
 * resolves with the body of the answer. Access tokens are renewed by themselves, and what may be repeated is repeated
 * after a failure that may pass. @throws ApiError
 */
export const createClient = (options: ClientOptions) => {
  const { transport = 'json', store = memoryStore(), onEnded } = options
  const url = options.url.replace(/\/$/, '')
  const send = createSend(options.fetch ?? ((request) => fetch(request)))
  const session = createSession({ url, send, transport, store, onEnded })

  const authorised: Send = async (request) => {
    const token = await session.accessToken()
    if (token === undefined || request.headers.has('Authorization')) return await send(request)
    const withToken = (text: string) => {
      const copy = request.clone()
      copy.headers.set('Authorization', `Bearer ${text}`)
      return copy
    }
    try {
      return await send(withToken(token))
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'UNAUTHENTICATED') throw error
      return await send(withToken(await session.renewAfter(token)))
    }
  }

  const api: Api = createFetchClient<paths, 'application/json'>({ baseUrl: url, fetch: authorised })

  const call = <M extends Method>(method: M): Call<M> => {
    const perform = api[method.toUpperCase() as 'GET'] as unknown as (
      ...args: unknown[]
    ) => Promise<{ data?: unknown }>
    // Whatever is no success was thrown by `send`.
    return (async (...args: unknown[]) => (await perform(...args)).data) as Call<M>
  }

  const post = call('post')

  return {
    session,
    /** For `createChat`. @throws ApiError */
    async getTicket(conversationId: string): Promise<string> {
      return (await post('/api/v1/realtime/tickets', { body: { conversationId } })).data.ticket
    },
    /**
     * Brings uploads of one's own into a conversation: what is answered is for `attachments` of a room's `send`. Again it
     * changes nothing. @throws ApiError
     */
    async addFiles(conversationId: string, uploadIds: string[]): Promise<AttachedFile[]> {
      const params = { path: { id: conversationId } }
      return (await post('/api/v1/conversations/{id}/files', { params, body: { uploadIds } })).data
    },
    get: call('get'),
    put: call('put'),
    post,
    patch: call('patch'),
    delete: call('delete'),
  }
}
