import { expect, it } from 'vitest'
import { createGate } from './gate.ts'

const { signal } = new AbortController()

it('lets pass while open, holds while held, and tells the port of the day', async () => {
  const gate = createGate()
  const waiting = gate.pass(1_000, signal)
  gate.open(1)
  expect(await waiting).toBe(1)
  gate.hold()
  const next = gate.pass(1_000, signal)
  gate.open(2)
  expect(await next).toBe(2)
})

it('sends away whoever waits too long, leaves, or comes when too many wait', async () => {
  const gate = createGate({ maxWaiting: 2 })
  const leaving = new AbortController()
  const all = [gate.pass(20, signal), gate.pass(60_000, leaving.signal), gate.pass(60_000, signal)]
  leaving.abort()
  expect(await Promise.all(all)).toEqual([undefined, undefined, undefined])
})

it('closed, it holds nobody back any more, yet an open one stays open', async () => {
  const gate = createGate()
  const waiting = gate.pass(60_000, signal)
  gate.close()
  expect(await waiting).toBeUndefined()
  expect(await gate.pass(60_000, signal)).toBeUndefined()
  const open = createGate()
  open.open(3)
  open.close()
  expect(await open.pass(0, signal)).toBe(3)
})
