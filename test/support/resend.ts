import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen } from '../../dev/neon/listen.ts'

export type SentMail = {
  id: string
  key: string
  authorization: string
  /** How often it was asked for, this key and this content. */
  asked: number
  body: {
    from: string
    to: string
    subject: string
    html: string
    text: string
    headers: Record<string, string>
    tags: { name: string; value: string }[]
  }
}

/** What the next request meets, in place of being served. */
export type Trouble = {
  /** Answered with this status, and `name` as the provider's error. */
  status?: number
  name?: string
  message?: string
  /** Milliseconds before anything is done. */
  delay?: number
  /** The mail is taken, and the connection broken before the answer. */
  lostAnswer?: boolean
  /** The connection is broken at once. */
  drop?: boolean
  /** Answered 200 with this text. */
  garbage?: string
}

/**
 * Resend's `POST /emails` with its idempotency keys, in memory: counts what takes effect, and has trouble on demand.
 * Tests in another process steer it over HTTP: GET /test/mails, POST /test/troubles (a list), DELETE /test.
 * `troubleOf` is what a mail meets each time that it comes.
 */
export const startResend = async (
  troubleOf: (mail: SentMail['body']) => Trouble | undefined = () => undefined,
) => {
  const mails = new Map<string, SentMail>()
  let troubles: Trouble[] = []
  let requests = 0

  const reply = (response: ServerResponse, status: number, body: unknown) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

  const take = (request: IncomingMessage, body: SentMail['body']): SentMail | undefined => {
    const key = String(request.headers['idempotency-key'] ?? randomUUID())
    const known = mails.get(key)
    if (known !== undefined && JSON.stringify(known.body) !== JSON.stringify(body)) return undefined
    const authorization = String(request.headers.authorization)
    const mail = known ?? { id: randomUUID(), key, authorization, asked: 0, body }
    mail.asked += 1
    mails.set(key, mail)
    return mail
  }

  const send = async (request: IncomingMessage, response: ServerResponse) => {
    requests += 1
    const body = (await json(request)) as SentMail['body']
    const {
      status,
      name,
      message = 'told to fail',
      delay = 0,
      lostAnswer,
      drop,
      garbage,
    } = troubles.shift() ?? troubleOf(body) ?? {}
    await sleep(delay)
    if (drop) return response.destroy()
    if (garbage !== undefined) return void response.writeHead(200).end(garbage)
    if (status !== undefined) return reply(response, status, { statusCode: status, name, message })
    const mail = take(request, body)
    if (lostAnswer) return response.destroy()
    if (mail === undefined) {
      return reply(response, 409, {
        ...{ statusCode: 409, name: 'invalid_idempotent_request' },
        message: 'The idempotency key was used with a different request',
      })
    }
    reply(response, 200, { id: mail.id })
  }

  const reset = () => {
    mails.clear()
    troubles = []
    requests = 0
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method} ${request.url}`
    if (route === 'POST /emails') return void (await send(request, response))
    if (route === 'GET /test/mails') return reply(response, 200, { requests, mails: [...mails.values()] })
    if (route === 'POST /test/troubles') troubles = (await json(request)) as Trouble[]
    if (route === 'DELETE /test') reset()
    reply(response, 200, {})
  }
  const server = createServer((request, response) => void serve(request, response))
  const port = await listen(server)

  return {
    url: `http://127.0.0.1:${port}`,
    /** What took effect, one entry a key. */
    mails: () => [...mails.values()],
    requests: () => requests,
    meet: (...next: Trouble[]) => void (troubles = next),
    reset,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
