import { expect, it } from 'vitest'
import { inRounds } from './rounds.ts'

it('runs the contenders in turn and keeps their results apart', async () => {
  const order: string[] = []
  const run = (name: string) => async () => order.push(name)
  const results = await inRounds(2, { one: run('one'), two: run('two') })
  expect(order).toEqual(['one', 'two', 'one', 'two'])
  expect(results).toEqual({ one: [1, 3], two: [2, 4] })
})

it('ends with the first contender that fails', async () => {
  const fails = () => Promise.reject(new Error('Expected 200, got 503'))
  await expect(inRounds(3, { fails })).rejects.toThrow('503')
})
