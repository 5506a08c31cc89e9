import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { listen } from '../../dev/neon/listen.ts'

/** What the operators' chat was told, and what came of it. `ended` is also when the caller has left. */
type Told = { jobId: string; begun: number; ended: number | undefined; accepted: boolean }

/** The operators' chat: it knows no idempotency keys and takes everything, `answer` being the status it answers with. */
export const startWebhookSink = async (
  answer: (jobId: string, nth: number) => number | Promise<number> = () => 200,
) => {
  const told: Told[] = []
  const of = (jobId: string) => told.filter((one) => one.jobId === jobId)

  const server = createServer((request, response) => {
    const serve = async () => {
      const { text } = (await json(request)) as { text: string }
      const jobId = /`([\w-]{36})`/.exec(text)?.[1] ?? ''
      const one: Told = { jobId, begun: Date.now(), ended: undefined, accepted: false }
      const nth = of(jobId).length
      told.push(one)
      response.on('close', () => (one.ended ??= Date.now()))
      const status = await answer(jobId, nth)
      // What nobody waits for any more was not taken.
      if (response.closed) return
      one.accepted = status === 200
      response.writeHead(status).end()
    }
    serve().catch(() => response.destroy())
  })
  const port = await listen(server)

  return {
    url: `http://127.0.0.1:${port}/`,
    of,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
