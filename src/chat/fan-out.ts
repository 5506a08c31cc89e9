import type { Socket } from './room/state.ts'

/** Milliseconds that an event waits for others to share its frame. */
const batchEvery = 4

/** Bytes of a batch above which it is not kept for the rest of its 4 ms. */
const fullBatch = 65_536

/** The live sockets, by what they asked for. */
export type Audience = { single: Socket[]; batched: Socket[] }

export const audienceOf = (sockets: Iterable<Socket>): Audience => {
  const audience: Audience = { single: [], batched: [] }
  for (const socket of sockets) {
    if (socket.mode === 'live') (socket.batch ? audience.batched : audience.single).push(socket)
  }
  return audience
}

/** One text to every live socket: at once, or with what else happens within 4 ms to those who asked for batches. */
export const createFanOut = ({
  audience,
  write,
}: {
  audience: () => Audience
  write: (id: string, text: string, bytes: number) => void
}) => {
  let batch: string[] = []
  let batchBytes = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  /** One frame, made once, for all who asked for batches. */
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const [first, ...rest] = batch
    if (first === undefined) return
    const text = rest.length === 0 ? first : `{"type":"batch","events":[${batch.join(',')}]}`
    batch = []
    batchBytes = 0
    const bytes = Buffer.byteLength(text)
    for (const { id } of audience().batched) write(id, text, bytes)
  }

  return {
    flush,

    toAll(text: string): void {
      const { single, batched } = audience()
      const bytes = Buffer.byteLength(text)
      for (const { id } of single) write(id, text, bytes)
      if (batched.length === 0) return
      batch.push(text)
      batchBytes += bytes
      if (batchBytes >= fullBatch) return flush()
      timer ??= setTimeout(flush, batchEvery)
    },

    /** To all but one user: not worth a batch of its own. */
    toOthers(user: string, text: string): void {
      const { single, batched } = audience()
      const bytes = Buffer.byteLength(text)
      for (const { id, userId } of [...single, ...batched]) if (userId !== user) write(id, text, bytes)
    },
  }
}
