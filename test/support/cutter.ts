import { once } from 'node:events'
import { createServer } from 'node:http'

type Exchange = { path: string; body: string; status: number; reply: string }

/**
 * A proxy that hears every reply before the client does. When `cuts` answers true, the connection is broken instead: the
 * server has done its work, and the client never learns of it.
 */
export const startCutter = async (
  target: string,
  cuts: (exchange: Exchange) => boolean | Promise<boolean>,
) => {
  const server = createServer((request, response) => {
    const forward = async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const body = Buffer.concat(chunks).toString()
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
      const answer = await fetch(new URL(request.url ?? '/', target), {
        method: request.method ?? 'GET',
        headers: headers as Record<string, string>,
        ...(body === '' ? {} : { body }),
      })
      const reply = await answer.text()
      const exchange = { path: request.url ?? '/', body, status: answer.status, reply }
      if (await cuts(exchange)) return response.destroy()
      const {
        'content-encoding': ____,
        'transfer-encoding': _____,
        'content-length': ______,
        ...rest
      } = Object.fromEntries(answer.headers)
      response.writeHead(answer.status, rest).end(reply)
    }
    forward().catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
