import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { heartbeatId } from './heartbeat.ts'

export type Output = ReturnType<typeof createOutput>

const maxKept = 200
// Its access log, of which the Worker has a better one, and the internal port, which is nobody's business.
const wranglerNews = /^\[wrangler:info\]/

/** Passes on what the runtime says, without the noise; while it starts, keeps it back in case the start fails. */
export function createOutput(write: (line: string) => void) {
  let kept: string[] | undefined = []

  function line(text: string): void {
    const plain = stripVTControlCharacters(text)
    if (wranglerNews.test(plain) || plain.includes(heartbeatId)) return
    if (!kept) return write(text)
    kept.push(text)
    if (kept.length > maxKept) kept.shift()
  }

  return {
    read: (stream: Readable) => void createInterface({ input: stream }).on('line', line),
    keepBack() {
      kept ??= []
    },
    /** From now on everything passes; what was kept back is dropped. */
    pass() {
      kept = undefined
    },
    /** Writes what was kept back. */
    tell() {
      for (const text of kept ?? []) if (text.trim() !== '') write(text)
      kept = kept && []
    },
  }
}
