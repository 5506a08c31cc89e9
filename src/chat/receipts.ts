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

/** To each author the marks that have passed a message of theirs. */
export const marksForAuthors = (
  changes: readonly Change[],
  written: readonly { seq: number; author: string }[],
): Map<string, Mark[]> => {
  const marks = new Map<string, Mark[]>()
  for (const [author, own] of Map.groupBy(written, (one) => one.author)) {
    const about = (between: number, and: number) => own.some(({ seq }) => seq > between && seq <= and)
    const concerned = changes.filter(
      ({ mark, from }) => about(from.delivered, mark.delivered) || about(from.read, mark.read),
    )
    // prettier-ignore
    if (concerned.length > 0) marks.set(author, concerned.map(({ mark }) => mark))
  }
  return marks
}
