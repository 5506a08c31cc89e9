import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'

const sources = ['src', 'workers', 'wrangler.toml']

/** Waits; with a root, only until the Worker's source there changes. */
export async function pauseOrChange(
  ms: number,
  root: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted || ms <= 0) return
  const watchers: FSWatcher[] = []
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    const wake = () => {
      clearTimeout(timer)
      resolve()
    }
    signal.addEventListener('abort', wake, { once: true })
    for (const source of root === undefined ? [] : sources) {
      try {
        watchers.push(watch(join(root ?? '', source), { recursive: true }, wake))
      } catch {
        // a folder that does not exist (yet) does not change either
      }
    }
  })
  for (const watcher of watchers) watcher.close()
}
