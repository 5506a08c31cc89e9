import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { findProcess, isRunning, listGroup, type Process } from './processes.ts'
import { type DevInfo, openState, type State } from './state.ts'

let dir = ''
let state: State
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'state-'))
  state = openState(dir)
})
afterEach(() => rmSync(dir, { recursive: true }))

const info: DevInfo = {
  pid: 1,
  runtimePids: [2],
  urls: { api: 'http://x' },
  databaseUrl: 'postgres://',
  logins: [],
}

it('dev.json is written whole, for the owner only, and is gone when nothing runs', () => {
  state.writeInfo(info)
  expect(state.readInfo()).toEqual(info)
  expect(statSync(state.paths.info).mode & 0o777).toBe(0o600)
  expect(readdirSync(state.dir)).toEqual(['dev.json'])
  state.clearRunning()
  expect(state.readInfo()).toBeUndefined()
})

it('wiping deletes what the stack keeps and nothing else in the folder', () => {
  mkdirSync(join(state.paths.database, 'deep'), { recursive: true })
  for (const file of [state.paths.secrets, join(state.dir, 'mine.txt'), state.paths.lock])
    writeFileSync(file, '')
  state.wipe()
  expect(readdirSync(state.dir).sort()).toEqual(['lock', 'mine.txt'])
})

describe('what a killed start left behind', () => {
  const groups: number[] = []
  afterEach(() => {
    for (const group of groups.splice(0)) {
      try {
        process.kill(-group, 'SIGKILL')
      } catch {
        // ended, as it should be
      }
    }
  })

  /** A leader with one child, like wrangler with workerd. */
  async function leaveBehind(): Promise<Process[]> {
    const script = `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
      setInterval(() => {}, 1000); console.log('up')`
    const leader = spawn(process.execPath, ['-e', script], { detached: true })
    const group = leader.pid ?? 0
    groups.push(group)
    await once(leader.stdout, 'data')
    return listGroup(group)
  }

  it('is ended with its whole group, also what was started after the record was written', async () => {
    const all = await leaveBehind()
    const leader = all.filter((one) => one.pid === one.group)
    expect(all).toHaveLength(2)
    state.recordRuntime(all[0]?.group ?? 0, leader)
    expect(await state.endLeftovers()).toBe(2)
    expect(all.filter(isRunning)).toEqual([])
    expect(existsSync(state.paths.runtimeRecord)).toBe(false)
  })

  it('is ended when its leader is gone already', async () => {
    const all = await leaveBehind()
    state.recordRuntime(all[0]?.group ?? 0, all)
    process.kill(all[0]?.group ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(all.filter(isRunning)).toHaveLength(1))
    expect(await state.endLeftovers()).toBe(1)
    expect(all.filter(isRunning)).toEqual([])
  })

  it('is left alone where the pid belongs to a later process', async () => {
    const all = await leaveBehind()
    state.recordRuntime(
      all[0]?.group ?? 0,
      all.map(({ pid }) => ({ pid, startedAt: 'long ago' })),
    )
    expect(await state.endLeftovers()).toBe(0)
    expect(all.filter(isRunning)).toHaveLength(2)
  })

  it('is nothing where there is no record, or a broken one', async () => {
    expect(await state.endLeftovers()).toBe(0)
    writeFileSync(state.paths.runtimeRecord, '{')
    expect(await state.endLeftovers()).toBe(0)
  })
})

it('a process is known by its pid and its start; a dead one and a zombie are not running', async () => {
  expect(findProcess(process.pid)?.command).toContain('node')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const id = findProcess(child.pid ?? 0)
  expect(id && isRunning(id)).toBe(true)
  expect(id && isRunning({ ...id, startedAt: 'x' })).toBe(false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(id && isRunning(id)).toBe(false)
})
