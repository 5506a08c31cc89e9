import { it } from 'vitest'
import { findGuards, type Mutation } from './mutant.ts'

/**
 * The positive control of a race whose world is costly. The full proof runs it; otherwise it is only seen that the guards are
 * still there, word for word, that it takes out.
 */
export const costlyControl = (
  name: string,
  mutations: Mutation[],
  run: (mutations: Mutation[]) => Promise<void>,
): void => {
  if (process.env['SELVEDGE_PROOF'] === 'full') it(name, async () => await run(mutations))
  else it(`finds the guards: ${name}`, () => findGuards(mutations))
}
