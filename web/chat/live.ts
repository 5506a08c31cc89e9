import type { Client } from '../../src/client/rest.ts'
import { readEvents, type ServerEvent } from './server-events.ts'

/** Milliseconds. */
const base = 1_000
const cap = 30_000
/** The stream says something every 20 s: one that has been silent for longer is dead. */
const patience = 50_000

export type Live = ReturnType<typeof openLive>

/**
 * What is new for whoever is signed in, as it happens. EventSource cannot send Authorization, so the stream is read here:
 * it comes back after a cut, with full jitter, and goes on where it was.
 */
export const openLive = (client: Client) => {
  const listeners = new Set<(event: ServerEvent) => void>()
  const over = new AbortController()
  let isOpen = false
  let lastId: string | undefined
  let attempt = 0
  let wake = () => {}

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const tell = (event: ServerEvent) => listeners.forEach((listener) => listener(event))

  const listen = async (): Promise<void> => {
    const token = await client.session.accessToken()
    if (token === undefined) return
    const silent = new AbortController()
    const wait = () => setTimeout(() => silent.abort(), patience)
    let timer = wait()
    try {
      const response = await fetch('/api/v1/events', {
        headers: { Authorization: `Bearer ${token}`, ...(lastId && { 'Last-Event-ID': lastId }) },
        cache: 'no-store',
        signal: AbortSignal.any([over.signal, silent.signal]),
      })
      if (response.status === 401) return void (await client.session.renewAfter(token))
      if (!response.ok || response.body === null)
        throw new Error(`The stream was refused: ${response.status}`)
      await readEvents(
        response.body,
        (event) => {
          lastId = event.id ?? lastId
          if (event.name === 'ready' || event.name === 'resync') {
            isOpen = true
            attempt = 0
          }
          tell(event)
        },
        () => {
          clearTimeout(timer)
          timer = wait()
        },
      )
    } finally {
      clearTimeout(timer)
      isOpen = false
    }
  }

  const run = async () => {
    while (!over.signal.aborted) {
      await listen().catch(() => undefined)
      if (over.signal.aborted) return
      attempt += 1
      await pause(Math.random() * Math.min(cap, base * 2 ** attempt))
    }
  }

  const hurry = () => wake()
  addEventListener('online', hurry)
  void run()

  return {
    get isOpen() {
      return isOpen
    },
    /** Answers how to stop it. */
    on(listener: (event: ServerEvent) => void): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close(): void {
      removeEventListener('online', hurry)
      over.abort()
      wake()
    },
  }
}
