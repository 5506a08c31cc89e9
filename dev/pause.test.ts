import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, it } from 'vitest'
import { pauseOrChange } from './pause.ts'

const { signal } = new AbortController()
const anHour = 3_600_000
let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pause-'))
  mkdirSync(join(root, 'src/deep'), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true }))

it('a pause ends by itself, and at once when all is to stop', async () => {
  await pauseOrChange(10, undefined, signal)
  await pauseOrChange(anHour, undefined, AbortSignal.timeout(10))
  await pauseOrChange(anHour, undefined, AbortSignal.abort())
})

it("ends early when the Worker's source changes, at any depth", async () => {
  const paused = pauseOrChange(anHour, root, signal)
  await sleep(50)
  writeFileSync(join(root, 'src/deep/a.ts'), '')
  await paused
})
