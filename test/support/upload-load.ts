import { createHash, randomBytes } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { prefixes } from '../../src/uploads/keys.ts'

const chunkSize = 64 * 1024

const template = randomBytes(1024 * 1024)

const signature = Buffer.from('\x89PNG\r\n\x1A\n', 'latin1')

/** The bytes of a file of this size, each file's own; no more than a chunk of it is ever in memory. */
function* chunksOf(size: number): Generator<Buffer> {
  const first = Buffer.concat([signature, randomBytes(Math.min(chunkSize, size) - signature.length)])
  yield first
  for (let at = first.length; at < size;) {
    const from = at % (template.length - chunkSize)
    const chunk = template.subarray(from, from + Math.min(chunkSize, size - at))
    yield chunk
    at += chunk.length
  }
}

type Sent = {
  token: string
  size: number
  /** `chunked`: raw without Content-Length. */
  how?: 'raw' | 'chunked' | 'form'
  path?: string
  method?: string
  headers?: Record<string, string>
  /** Breaks off after so many bytes of the file. */
  abortAt?: number
  /** Told after each chunk. */
  onChunk?: (sent: number) => Promise<void> | void
}

export type Answer = { status: number; body: string; sha256: string; md5: string }

const boundary = 'selvedge-boundary'
const formHead = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`
const formTail = `\r\n--${boundary}--\r\n`

/** Sends a file as it is made; undefined when it was broken off. */
export const sendFile = async (
  base: string,
  {
    token,
    size,
    how = 'raw',
    path = '/api/v1/uploads',
    method = 'POST',
    headers = {},
    abortAt,
    onChunk,
  }: Sent,
): Promise<Answer | undefined> => {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  const isForm = how === 'form'
  const length = isForm ? formHead.length + size + formTail.length : size
  const outgoing = request(`${base}${path}`, {
    method,
    agent: false,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': isForm ? `multipart/form-data; boundary=${boundary}` : 'image/png',
      'X-File-Name': 'a.png',
      ...(how === 'chunked' ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(length) }),
      ...headers,
    },
  })
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string } | undefined>()
  const closed = Promise.withResolvers<void>()
  outgoing.once('close', closed.resolve)
  outgoing.on('error', (error) => (abortAt === undefined ? reject(error) : resolve(undefined)))
  outgoing.on('response', (response) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (text: string) => (body += text))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    response.on('error', reject)
  })
  const write = async (bytes: Buffer | string): Promise<void> => {
    if (outgoing.write(bytes)) return
    const drained = Promise.withResolvers<void>()
    outgoing.once('drain', drained.resolve)
    await Promise.race([drained.promise, closed.promise])
  }

  if (isForm) await write(formHead)
  let sent = 0
  for (const chunk of chunksOf(size)) {
    if (outgoing.destroyed) break
    if (abortAt !== undefined && sent + chunk.length > abortAt) {
      await write(chunk.subarray(0, abortAt - sent))
      outgoing.destroy()
      return undefined
    }
    sha256.update(chunk)
    md5.update(chunk)
    await write(chunk)
    sent += chunk.length
    await onChunk?.(sent)
  }
  if (isForm) await write(formTail)
  outgoing.end()
  const answer = await promise
  return answer && { ...answer, sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}

/** Bytes that these processes hold in memory, all together. */
export const residentOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    try {
      return (
        sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
      )
    } catch {
      return sum
    }
  }, 0)

/** Of these processes those that run Workers, without the tools that started them. */
export const workerdsOf = (pids: readonly number[]): number[] =>
  pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('workerd')
    } catch {
      return false
    }
  })

/** The most memory that these processes hold while the work goes on. */
export const peakOf = async (pids: readonly number[], work: () => Promise<unknown>): Promise<number> => {
  let most = residentOf(pids)
  const timer = setInterval(() => (most = Math.max(most, residentOf(pids))), 20)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return Math.max(most, residentOf(pids))
}

type Kept = { objects: string[]; unfinished: number }

const isOfUpload = (key: string): boolean => prefixes.some((prefix) => key.startsWith(prefix))

/**
 * What the local R2 of a stack holds of uploads, as its own database tells: objects, and multipart uploads that are not
 * over. Reports, which a cron may write at any moment, lie beside them.
 */
export const keptIn = (stateDir: string): Kept => {
  const kept: Kept = { objects: [], unfinished: 0 }
  for (const file of globSync(join(stateDir, '**/r2/**/*.sqlite'))) {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      const tables = database.prepare("select name from sqlite_master where name = '_mf_objects'").all()
      if (tables.length === 0) continue
      const keysOf = (query: string): string[] =>
        database
          .prepare(query)
          .all()
          .map(({ key }) => String(key))
          .filter(isOfUpload)
      kept.objects.push(...keysOf('select key from _mf_objects'))
      kept.unfinished += keysOf('select key from _mf_multipart_uploads where state = 0').length
    } finally {
      database.close()
    }
  }
  return kept
}
