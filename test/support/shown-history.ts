/** What one client saw: places in the log as they were shown to it. */
type Shown = { seq: number; id: string; content: string }[]

/**
 * What is wrong with what a client showed, given the log of the room and what each author was told is stored, in the
 * order of sending. Empty: each message once, in order, and none missing.
 */
export const judgeHistory = (shown: Shown, log: Shown, acknowledged: string[][]): string[] => {
  const problems: string[] = []
  for (const [n, { seq, content }] of shown.entries()) {
    const before = shown[n - 1]
    if (before === undefined) continue
    if (before.seq === seq) problems.push(`${content} is shown twice`)
    else if (before.seq > seq) problems.push(`${content} is shown after ${before.content}`)
  }
  const ids = new Set(shown.map(({ id }) => id))
  for (const { id, content } of log) if (!ids.has(id)) problems.push(`${content} is not shown`)
  const stored = log.map(({ content }) => content)
  for (const sent of acknowledged) {
    const places = sent.map((content) => stored.indexOf(content))
    for (const [n, content] of sent.entries()) {
      if (places[n] === -1) problems.push(`${content} was acknowledged and is lost`)
      else if (stored.lastIndexOf(content) !== places[n]) problems.push(`${content} is stored twice`)
      else if (n > 0 && places[n - 1]! > places[n]!) problems.push(`${content} overtook the one before it`)
    }
  }
  return problems
}
