import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lockHolder, takeLock } from './lock.ts'
import { findProcess } from './processes.ts'

let dir = ''
let file = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'))
  file = join(dir, 'lock')
})
afterEach(() => rmSync(dir, { recursive: true }))

it('a lock is held by one, names its process, and is free again after release', () => {
  const lock = takeLock(file)
  expect(lock).toBeDefined()
  expect(lockHolder(file)?.pid).toBe(process.pid)
  expect(takeLock(file)).toBeUndefined()
  lock?.release()
  expect(existsSync(file)).toBe(false)
  expect(takeLock(file)).toBeDefined()
  expect(readdirSync(dir)).toEqual(['lock'])
})

it('the folder of a lock is made for it', () => {
  expect(takeLock(join(dir, 'a/b/lock'))).toBeDefined()
})

it('a crashed process holds nothing', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const id = findProcess(child.pid ?? 0)
  writeFileSync(file, JSON.stringify(id))
  expect(takeLock(file)).toBeUndefined()
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(takeLock(file)).toBeDefined()
})

it('a pid that now belongs to another process holds nothing', () => {
  writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }))
  expect(lockHolder(file)).toBeUndefined()
  expect(takeLock(file)).toBeDefined()
  expect(lockHolder(file)?.pid).toBe(process.pid)
})

it.each(['', '{', 'null', '{"pid":1}'])('a lock file that says %j holds nothing', (text) => {
  writeFileSync(file, text)
  expect(takeLock(file)).toBeDefined()
})

it('release leaves a lock alone that another process has taken over', () => {
  const lock = takeLock(file)
  writeFileSync(file, 'theirs')
  lock?.release()
  expect(readFileSync(file, 'utf8')).toBe('theirs')
})

it('of many that find a stale lock at the same moment, one gets it', async () => {
  writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }))
  const script = `
    import { takeLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
    while (Date.now() < Number(process.argv[1])) {}
    console.log(takeLock(${JSON.stringify(file)}) ? 'mine' : 'taken')
    setInterval(() => {}, 1000)`
  const start = String(Date.now() + 1_500)
  const all = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script, start]),
  )
  const said = await Promise.all(all.map(async (one) => String(await once(one.stdout, 'data')).trim()))
  for (const one of all) one.kill('SIGKILL')
  expect(said.sort()).toEqual(['mine', 'taken', 'taken', 'taken', 'taken', 'taken'])
})
