import { describe, expect, it } from 'vitest'
import { occupying, predecessorsOf, quarantined, uploadStates } from './state.ts'

describe('the states of an upload', () => {
  it('lead to ready only through scanning and processing', () => {
    expect(predecessorsOf('ready')).toEqual(['processing'])
    expect(predecessorsOf('processing')).toEqual(['scanning', 'failed'])
    expect(predecessorsOf('scanning')).toEqual(['receiving', 'failed'])
  })

  it('never lead back to receiving, and nowhere from infected or rejected', () => {
    expect(predecessorsOf('receiving')).toEqual([])
    for (const to of uploadStates) {
      expect(predecessorsOf(to)).not.toContain('infected')
      expect(predecessorsOf(to)).not.toContain('rejected')
    }
  })

  it('count against the quota wherever bytes are left', () => {
    for (const state of quarantined) expect(occupying).toContain(state)
  })
})
