import type { Mark } from './protocol.ts'
import type { Change } from './room/state.ts'

/** Messages back from its mark whose authors hear of it. */
const receiptReach = 1_000

/** The part of the log, `from` exclusive, whose authors these changes may concern. */
export const reachOf = (changes: readonly Change[]): { from: number; to: number } => {
  const to = Math.max(...changes.map(({ mark }) => mark.delivered))
  const from = Math.min(...changes.map((change) => Math.min(change.from.delivered, change.from.read)))
  return { from: Math.max(from, to - receiptReach), to }
}

/** Whether one of these numbers, in their order, lies after `from` up to `to`. */
const hasBetween = (sorted: readonly number[], from: number, to: number): boolean => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Infinity) > from) high = middle
    else low = middle + 1
  }
  return (sorted[low] ?? Infinity) <= to
}

/** To each author the marks that have passed a message of theirs; `written` in the order of the log. */
export const marksForAuthors = (
  changes: readonly Change[],
  written: readonly { seq: number; author: string }[],
): Map<string, Mark[]> => {
  const seqs = new Map<string, number[]>()
  for (const { author, seq } of written) {
    const own = seqs.get(author)
    if (own === undefined) seqs.set(author, [seq])
    else own.push(seq)
  }
  const marks = new Map<string, Mark[]>()
  for (const [author, own] of seqs) {
    const concerned = changes.filter(
      ({ mark, from }) =>
        hasBetween(own, from.delivered, mark.delivered) || hasBetween(own, from.read, mark.read),
    )
    // prettier-ignore
    if (concerned.length > 0) marks.set(author, concerned.map(({ mark }) => mark))
  }
  return marks
}
