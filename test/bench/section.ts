export type Aim = {
  text: string
  met: boolean
  /** Where the time goes: said only when the aim is missed. */
  otherwise?: string
}

export type Table = {
  head: string[]
  rows: string[][]
  /** A sentence on what the figures mean. */
  meaning: string
}

/** What a bench found, as a part of docs/benchmarks.md. */
export type Section = {
  title: string
  /** How it was measured. */ method: string
  tables: Table[]
  aims: Aim[]
}

const line = (cells: string[]): string => `| ${cells.join(' | ')} |`

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

const tableText = ({ head, rows, meaning }: Table): string =>
  [line(head), line(head.map(() => '---')), ...rows.map(line), '', inOneLine(meaning)].join('\n')

const aimText = ({ text, met, otherwise }: Aim): string =>
  inOneLine(
    `- ${met ? 'Met' : '**Missed**'}: ${text}${met || otherwise === undefined ? '' : `. ${otherwise}`}`,
  )

export const sectionText = ({ title, method, tables, aims }: Section, context: string): string =>
  [`## ${title}`, context, inOneLine(method), ...tables.map(tableText), aims.map(aimText).join('\n')].join(
    '\n\n',
  )
