import type { Client } from '../../src/client/rest.ts'
import { limits } from '../../src/client/protocol-values.ts'
import type { AttachedFile } from './api.ts'
import type { Live } from './live.ts'
import { describeProblem, mediaTypes, Rejected, sendFile, untilReady } from './upload.ts'

/** A file that was chosen and is not sent yet. */
export type Chosen = {
  key: string
  name: string
  type: string
  /** Of an image, for this page alone. */
  preview: string | undefined
  state: 'uploading' | 'checking' | 'ready' | 'failed'
  /** 0 to 1. */
  progress: number
  problem?: string
}

export type Tray = ReturnType<typeof createTray>

/**
 * What the next message of one conversation is to be: its text, and its files, which are uploaded as soon as they are chosen
 * and brought in when it is sent.
 */
const createTray = (client: Client, live: Live, conversationId: string) => {
  let all: readonly Chosen[] = []
  let tooMany = false
  const running = new Map<string, { id: string | undefined; abort: AbortController }>()
  const watchers = new Set<() => void>()

  const become = (next: readonly Chosen[]) => {
    all = next
    watchers.forEach((watcher) => watcher())
  }

  const change = (key: string, changes: Partial<Chosen>) =>
    become(all.map((one) => (one.key === key ? { ...one, ...changes } : one)))

  const upload = async (key: string, file: File) => {
    const abort = new AbortController()
    const run: { id: string | undefined; abort: AbortController } = { id: undefined, abort }
    running.set(key, run)
    try {
      const { id } = await sendFile(client, file, {
        uploadId: key,
        onProgress: (progress) => change(key, { progress }),
        signal: abort.signal,
      })
      run.id = id
      if (abort.signal.aborted) return discard(id)
      change(key, { state: 'checking', progress: 1 })
      await untilReady(client, live, id, abort.signal)
      change(key, { state: 'ready' })
    } catch (error) {
      if (abort.signal.aborted) return
      change(key, {
        state: 'failed',
        problem: error instanceof Rejected ? error.message : describeProblem(error),
      })
    }
  }

  /** Nobody needs it any more; what cannot be deleted now is in the list of uploads. */
  const discard = (id: string) =>
    void client.delete('/api/v1/uploads/{id}', { params: { path: { id } } }).catch(() => undefined)

  const forget = (key: string) => {
    const one = all.find((chosen) => chosen.key === key)
    tooMany = false
    if (one?.preview !== undefined) URL.revokeObjectURL(one.preview)
    running.delete(key)
    become(all.filter((chosen) => chosen.key !== key))
  }

  return {
    /** What was begun is there again when one comes back to it. */
    text: '',
    get all() {
      return all
    },
    watch(watcher: () => void): () => void {
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
    /** Whether the last files that were chosen did not all find a place. */
    get tooMany() {
      return tooMany
    },
    add(files: readonly File[]): void {
      const room = limits.attachments - all.length
      tooMany = files.length > room
      become([...all])
      for (const file of files.slice(0, room)) {
        const key = crypto.randomUUID()
        const isKnown = mediaTypes.includes(file.type)
        const preview = isKnown && file.type.startsWith('image/') ? URL.createObjectURL(file) : undefined
        const name = file.name === '' ? 'Picture' : file.name
        const chosen: Chosen = { key, name, type: file.type, preview, state: 'uploading', progress: 0 }
        become([
          ...all,
          isKnown ? chosen : { ...chosen, state: 'failed', problem: 'is no image or PDF that can be sent' },
        ])
        if (isKnown) void upload(key, file)
      }
    },
    remove(key: string): void {
      const run = running.get(key)
      run?.abort.abort()
      if (run?.id !== undefined) discard(run.id)
      forget(key)
    },
    /** Brings what is ready into the conversation; the tray is empty then. @throws ApiError */
    async take(): Promise<AttachedFile[]> {
      const ready = all.filter(({ state }) => state === 'ready')
      if (ready.length === 0) return []
      const ids = ready.flatMap(({ key }) => running.get(key)?.id ?? [])
      const files = await client.addFiles(conversationId, ids)
      for (const { key } of ready) forget(key)
      return files
    },
    /** Of a message that was given up: the conversation does not need them, and nor does anyone. */
    letGo(files: readonly AttachedFile[]): void {
      for (const { id } of files) {
        const path = { id: conversationId, uploadId: id }
        client.delete('/api/v1/conversations/{id}/files/{uploadId}', { params: { path } }).then(
          () => discard(id),
          () => undefined,
        )
      }
    },
  }
}

/** What was begun in a conversation is there again when one comes back to it. */
export const createTrays = (client: Client, live: Live) => {
  const trays = new Map<string, Tray>()
  return (conversationId: string): Tray => {
    const tray = trays.get(conversationId) ?? createTray(client, live, conversationId)
    trays.set(conversationId, tray)
    return tray
  }
}
