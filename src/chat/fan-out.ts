import type { Socket } from './room/state.ts'

/** Milliseconds that an event waits for others to share its frame. */
const batchEvery = 4

/** Bytes of a batch above which it is not kept for the rest of its 4 ms. */
const fullBatch = 65_536

/** One text to every live socket: at once, or with what else happens within 4 ms to those who asked for batches. */
export const createFanOut = ({
  sockets,
  write,
}: {
  sockets: () => Iterable<Socket>
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
    for (const { id, mode, batch: asked } of sockets()) if (mode === 'live' && asked) write(id, text, bytes)
  }

  return {
    flush,

    /** `except`: a user. */
    broadcast(text: string, except?: string): void {
      const bytes = Buffer.byteLength(text)
      let mayWait = false
      for (const { id, mode, batch: asked, userId } of sockets()) {
        if (mode !== 'live' || userId === except) continue
        // What is not for all of them is not worth a batch of its own.
        if (asked && except === undefined) mayWait = true
        else write(id, text, bytes)
      }
      if (!mayWait) return
      batch.push(text)
      batchBytes += bytes
      if (batchBytes >= fullBatch) return flush()
      timer ??= setTimeout(flush, batchEvery)
    },
  }
}
