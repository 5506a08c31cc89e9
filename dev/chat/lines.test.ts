import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { closedLine, editedLine, messageLine, removedLine, tickLine, type Shown } from './lines.ts'

const at = '2026-11-20T12:34:56.000Z'
const shown: Shown = { clientId: 'c-1', at, name: 'Ada Admin', content: 'On its way', state: 'received' }
const textOf = (line: string | undefined) => line && stripVTControlCharacters(line)

describe('the line of a message', () => {
  it('has time, author and text', () =>
    expect(textOf(messageLine(shown))).toBe('12:34 Ada Admin  On its way'))

  it('has the tick of one’s own, and that it was edited', () => {
    expect(textOf(messageLine({ ...shown, state: 'read' }))).toBe('12:34 Ada Admin  On its way  ✓✓ read')
    expect(textOf(messageLine({ ...shown, editedAt: at }))).toBe('12:34 Ada Admin  On its way (edited)')
  })

  it('names files', () => {
    const attachments = [{ id: 'a', name: 'note.pdf', type: 'application/pdf', variants: [] }]
    expect(textOf(messageLine({ ...shown, content: '', attachments }))).toBe('12:34 Ada Admin  [note.pdf]')
  })

  it('says of a removed one that alone', () =>
    expect(textOf(messageLine({ ...shown, content: '', removedAt: at, state: 'read' }))).toBe(
      '12:34 Ada Admin  removed',
    ))

  it('takes no control characters from others', () => {
    const line = messageLine({ ...shown, name: '\u001b[2JAda', content: 'ring\u0007' })
    expect(line).not.toContain('\u001b[2J')
    expect(line).not.toContain('\u0007')
  })
})

describe('what becomes of a message', () => {
  it('is told of that message by its beginning when its line is out of reach', () =>
    expect(textOf(tickLine({ ...shown, content: 'x'.repeat(90), state: 'delivered' }))).toBe(
      `      ✓✓  12:34 Ada Admin: ${'x'.repeat(39)}…`,
    ))

  it('an edit shows the message as it is now', () => {
    expect(textOf(editedLine(shown, 'It is here', at))).toBe('12:34 Ada Admin  It is here (edited)')
    expect(textOf(editedLine(undefined, 'It is here', at))).toBe('(an earlier message was edited) It is here')
  })

  it('an edit that is shown already, or of what was removed since, is no line', () => {
    expect(editedLine(shown, shown.content, at)).toBeUndefined()
    expect(editedLine({ ...shown, content: '', removedAt: at }, '', at)).toBeUndefined()
    expect(editedLine(undefined, '', at)).toBeUndefined()
  })

  it('a removal says which message, once', () => {
    expect(textOf(removedLine(shown))).toBe('(removed: 12:34 Ada Admin: On its way)')
    expect(textOf(removedLine(undefined))).toBe('(an earlier message was removed)')
    expect(removedLine({ ...shown, removedAt: at })).toBeUndefined()
  })
})

it('a closed conversation says who can open it again', () => {
  expect(closedLine(true, 'Cora')).toContain('/reopen')
  expect(closedLine(false, 'Cora')).toContain('Cora opens it again')
})
