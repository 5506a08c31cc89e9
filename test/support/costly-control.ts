import { describe, it } from 'vitest'
import { findGuards, type Mutation } from './mutant.ts'

const isFull = process.env['SELVEDGE_PROOF'] === 'full'

/**
 * Positive controls of a race whose world is costly. The full proof runs them; otherwise it is only seen that the guards are
 * still there, word for word, that they take out.
 */
export const costlyControls = (name: string, mutations: Mutation[], define: () => void): void => {
  if (isFull) describe(name, define)
  else it(`finds the guards: ${name}`, () => findGuards(mutations))
}

/** The same of a single one. */
export const costlyControl = (
  name: string,
  mutations: Mutation[],
  run: (mutations: Mutation[]) => Promise<void>,
): void => {
  if (isFull) it(name, async () => await run(mutations))
  else it(`finds the guards: ${name}`, () => findGuards(mutations))
}
