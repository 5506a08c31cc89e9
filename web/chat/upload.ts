import type { Client } from '../../src/client/rest.ts'
import { ApiError } from '../../src/client/api-error.ts'
import type { Upload } from './api.ts'
import type { Live } from './live.ts'

export const mediaTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'application/pdf']

/** Milliseconds between looks at an upload that is not ready. */
const looks = [300, 600, 1_000, 2_000]

type Options = { uploadId: string; onProgress: (share: number) => void; signal: AbortSignal }

const problems: Record<string, string> = {
  PAYLOAD_TOO_LARGE: 'is too large',
  UNSUPPORTED_MEDIA_TYPE: 'is no image or PDF that can be sent',
  QUOTA_EXCEEDED: 'has no room left in your account',
  RATE_LIMITED: 'has to wait: too many files at once',
  NETWORK: 'could not be uploaded',
}

/** For whoever chose the file, after its name. */
export const describeProblem = (error: unknown): string =>
  (error instanceof ApiError && problems[error.code]) || 'could not be uploaded'

export class Rejected extends Error {}

/** One attempt; XMLHttpRequest, because `fetch` does not tell how far a body is. @throws ApiError */
const attempt = (file: File, token: string, { uploadId, onProgress, signal }: Options) =>
  new Promise<Upload>((resolve, reject) => {
    const request = new XMLHttpRequest()
    const fail = () =>
      reject(new ApiError({ status: 0, code: 'NETWORK', message: 'The API cannot be reached' }))
    request.open('POST', '/api/v1/uploads')
    request.responseType = 'json'
    request.setRequestHeader('Authorization', `Bearer ${token}`)
    request.setRequestHeader('Content-Type', file.type)
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name))
    // The same upload, should this be the second attempt.
    request.setRequestHeader('X-Upload-Id', uploadId)
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total)
    request.onerror = fail
    request.onabort = fail
    request.onload = () => {
      const { status } = request
      const body = request.response as { data?: Upload; error?: { code: string; message: string } } | null
      if (status === 201 && body?.data !== undefined) return resolve(body.data)
      const { code = 'UNKNOWN', message = 'The answer was none of the API’s' } = body?.error ?? {}
      reject(new ApiError({ status, code: code as ApiError['code'], message }))
    }
    signal.addEventListener('abort', () => request.abort())
    request.send(file)
  })

/** Sends a file, once more when the connection breaks or the token has just ended. @throws ApiError */
export const sendFile = async (client: Client, file: File, options: Options): Promise<Upload> => {
  for (let tries = 1; ; tries += 1) {
    const token = (await client.session.accessToken()) ?? ''
    try {
      return await attempt(file, token, options)
    } catch (error) {
      options.signal.throwIfAborted()
      if (!(error instanceof ApiError) || tries >= 3) throw error
      const { status, code } = error
      const isWorthIt = code === 'NETWORK' || code === 'UPLOAD_IN_FLIGHT' || status === 401 || status === 503
      if (!isWorthIt) throw error
      if (status === 401) await client.session.renewAfter(token)
      else await new Promise((resolve) => setTimeout(resolve, 1_000 * tries))
    }
  }
}

/** Until it can be shown; looks now and then, and at once when the inbox tells of it. @throws Rejected, ApiError */
export const untilReady = async (
  client: Client,
  live: Live,
  id: string,
  signal: AbortSignal,
): Promise<Upload> => {
  let hear = () => {}
  const stop = live.on(({ name, data }) => {
    if (name === 'upload' && (data as { subject: { uploadId: string } }).subject.uploadId === id) hear()
  })
  try {
    for (let n = 0; ; n += 1) {
      signal.throwIfAborted()
      const { data } = await client.get('/api/v1/uploads/{id}', { params: { path: { id } } })
      if (data.status === 'ready') return data
      if (data.status === 'infected') throw new Rejected('holds a virus')
      if (data.status === 'rejected' || data.status === 'failed') throw new Rejected('cannot be used')
      await new Promise<void>((resolve) => {
        hear = resolve
        setTimeout(resolve, looks[Math.min(n, looks.length - 1)])
      })
    }
  } finally {
    stop()
  }
}
