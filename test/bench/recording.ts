import { z } from 'zod'
import type { Context } from './context.ts'
import { request, type Call } from './load.ts'
import { productEnv } from './product.ts'
import { startWorker } from './workerd.ts'

/** A list has no id, and the rest of a reply is only sent on. */
const Reply = z.looseObject({ data: z.union([z.looseObject({ id: z.string() }), z.array(z.unknown())]) })

/**
 * What the product answers to these calls and what it asks the database for it, as the variables of workers/bare.ts: so
 * that a Worker beside it sends the same bytes, and can make the same call.
 */
export const recordReplies = async (
  { builds, servers, databases }: Context,
  calls: Record<string, Call>,
): Promise<{ REPLIES: string; CALLS: string }> => {
  const { url, endpoint } = await databases.catalogue(1_000)
  const recorder = await servers.distance(endpoint, 0)
  const worker = await startWorker(await builds.of('selvedge'), productEnv(url, recorder))
  const replies: Record<string, unknown> = {}
  const asked: Record<string, unknown> = {}
  try {
    for (const [name, call] of Object.entries(calls)) {
      const response = await request(worker.url, call)
      if (!response.ok) throw new Error(`${call.path} answers ${await response.text()}`)
      const reply = Reply.parse(await response.json())
      const { headers, body } = await servers.last(recorder)
      const own = Object.entries(headers).filter(([header]) => header.startsWith('neon-'))
      replies[name] = reply
      asked[name] = {
        ...{ url: endpoint, headers: Object.fromEntries(own), body },
        // The id of a new row: another one in every repetition.
        ...(call.method === 'POST' && 'id' in reply.data && { unique: reply.data.id }),
      }
    }
  } finally {
    await worker.stop()
  }
  return { REPLIES: JSON.stringify(replies), CALLS: JSON.stringify(asked) }
}
