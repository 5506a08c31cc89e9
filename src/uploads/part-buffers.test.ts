import { describe, expect, it } from 'vitest'
import { createPartBuffers } from './part-buffers.ts'

/** Time passes only while somebody waits. */
const open = (onWait: (at: number) => void = () => undefined) => {
  let at = 0
  const wait = async (milliseconds: number) => {
    at += milliseconds
    onWait(at)
    await Promise.resolve()
  }
  const pass = (milliseconds: number) => void (at += milliseconds)
  return { pass, at: () => at, buffers: createPartBuffers({ limit: 2, wait, now: () => at }) }
}

describe('part buffers', () => {
  it('are given at once while there are some', async () => {
    const { buffers, at } = open()
    await buffers.take()
    await buffers.take()
    expect(at()).toBe(0)
  })

  it('are waited for, for half a minute', async () => {
    const { buffers, at } = open()
    await buffers.take()
    await buffers.take()
    await expect(buffers.take()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(at()).toBeGreaterThanOrEqual(30_000)
    expect(at()).toBeLessThan(30_200)
  })

  it('come back when they are released, however often that is said', async () => {
    const { buffers, at } = open((now) => now > 1_000 && first?.release())
    const first = await buffers.take()
    await buffers.take()
    const third = await buffers.take()
    expect(at()).toBeLessThan(1_200)
    first.release()
    await expect(buffers.take()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    third.release()
  })

  it('come back from a holder that says nothing for a minute, and not from one that does', async () => {
    const { buffers, pass } = open()
    const live = await buffers.take()
    await buffers.take()
    pass(40_000)
    live.touch()
    pass(20_001)
    await buffers.take()
    await expect(buffers.take()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
