import { rowsOf } from './text.ts'

/** Entries that are kept to be written again; no screen shows more. */
const maxKept = 500

type Options = {
  write: (text: string) => void
  size: () => { columns: number; rows: number }
  /** In which row of what is being typed the cursor stands. */
  cursorRow: () => number
  /** Shows what is being typed again, from the cursor's row on. */
  prompt: () => void
}

/** What was printed. */
export type Printed = {
  /** False: it has left the screen, or there is none, and nothing was done. */
  replace: (text: string) => boolean
}

/** Prints above the line that is being typed, and knows what stands there: a line may be replaced where it is. */
export const createScreen = ({ write, size, cursorRow, prompt }: Options) => {
  let entries: { text: string }[] = []

  const rewrite = (from: number, rowsAbove: number): void => {
    const row = cursorRow()
    const up = row + rowsAbove
    const texts = entries.slice(from).map(({ text }) => `${text}\n`)
    // The prompt goes up again by the rows that it had.
    write(`\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J${texts.join('')}${'\n'.repeat(row)}`)
    prompt()
  }

  const add = (text: string): Printed => {
    const entry = { text }
    entries = [...entries.slice(-maxKept), entry]
    return {
      replace(next) {
        const n = entries.indexOf(entry)
        if (n < 0) return false
        const { columns, rows } = size()
        const above = entries.slice(n).reduce((sum, one) => sum + rowsOf(one.text, columns), 0)
        if (above + cursorRow() >= rows) return false
        entry.text = next
        rewrite(n, above)
        return true
      },
    }
  }

  return {
    print(text: string): Printed {
      const printed = add(text)
      rewrite(entries.length - 1, 0)
      return printed
    },
    /** Stands there already. */
    add,
  }
}
