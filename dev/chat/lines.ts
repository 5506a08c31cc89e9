// How what happens in a conversation becomes lines of text.
import { styleText } from 'node:util'
import type { RoomMessage } from '../../src/client/index.ts'
import { cut, plain } from './text.ts'

export const dim = (text: string) => styleText('dim', text)

/** A message as it was shown, and who wrote it. */
export type Shown = Pick<
  RoomMessage,
  'clientId' | 'at' | 'content' | 'attachments' | 'editedAt' | 'removedAt' | 'state'
> & { name: string }

/** Columns of a message that another line speaks of. */
const excerpt = 40

export const ticks: Record<RoomMessage['state'], string> = {
  sending: '…',
  failed: '! not sent',
  sent: '✓',
  delivered: '✓✓',
  read: '✓✓ read',
  received: '',
}

const timeOf = (at: string): string => at.slice(11, 16)

export const messageLine = ({
  at,
  name,
  content,
  attachments = [],
  editedAt,
  removedAt,
  state,
}: Shown): string => {
  const said = [
    ...attachments.map((file) => dim(`[${plain(file.name)}]`)),
    plain(content),
    editedAt === undefined ? '' : dim('(edited)'),
    ticks[state] === '' ? '' : dim(` ${ticks[state]}`),
  ]
  const text = removedAt === undefined ? said.filter((part) => part !== '').join(' ') : dim('removed')
  return `${dim(timeOf(at))} ${styleText('bold', plain(name))}  ${text}`
}

/** Which message: its time, its author, and how it begins. */
const reference = ({ at, name, content, attachments: [file] = [] }: Shown): string =>
  `${timeOf(at)} ${plain(name)}: ${cut(plain(content || (file?.name ?? '')), excerpt)}`

/** What became of a message whose own line is out of reach. */
export const tickLine = (shown: Shown): string => dim(`      ${ticks[shown.state]}  ${reference(shown)}`)

/** Undefined: what was shown has that text already. `content`: as it is now. */
export const editedLine = (shown: Shown | undefined, content: string, at: string): string | undefined => {
  if (shown === undefined)
    return content === '' ? undefined : `${dim('(an earlier message was edited)')} ${plain(content)}`
  if (shown.removedAt !== undefined || shown.content === content) return undefined
  return messageLine({ ...shown, content, editedAt: at, state: 'received' })
}

/** Undefined: it was shown as removed. */
export const removedLine = (shown: Shown | undefined): string | undefined => {
  if (shown === undefined) return dim('(an earlier message was removed)')
  return shown.removedAt === undefined ? dim(`(removed: ${reference(shown)})`) : undefined
}

export const closedLine = (canReopen: boolean, customer: string): string =>
  dim(
    canReopen
      ? '(closed: nobody can write here until /reopen opens it again)'
      : `(closed: nobody can write here until ${plain(customer)} opens it again)`,
  )
