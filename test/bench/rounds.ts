/** Runs the contenders in turn, A B C A B C …, so that what else the machine does meets all of them alike. */
export const inRounds = async <K extends string, R>(
  rounds: number,
  contenders: Record<K, () => Promise<R>>,
): Promise<Record<K, R[]>> => {
  const names = Object.keys(contenders) as K[]
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, R[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await contenders[name]())
  }
  return results
}
