import { describe, expect, it } from 'vitest'
import { createScreen } from './screen.ts'

const open = ({ columns = 20, rows = 10, row = 0 } = {}) => {
  let written = ''
  const screen = createScreen({
    write: (text) => (written += text),
    size: () => ({ columns, rows }),
    cursorRow: () => row,
    prompt: () => (written += '> '),
  })
  const take = () => {
    const text = written
    written = ''
    return text
  }
  return { screen, take }
}

describe('the screen', () => {
  it('prints above the line that is being typed', () => {
    const { screen, take } = open()
    screen.print('one')
    expect(take()).toBe('\r\u001b[Jone\n> ')
  })

  it('leaves the rows of a long line that is being typed to it', () => {
    const { screen, take } = open({ row: 2 })
    screen.print('one')
    expect(take()).toBe('\r\u001b[2A\u001b[Jone\n\n\n> ')
  })

  it('replaces a line where it stands, however many rows follow', () => {
    const { screen, take } = open()
    const typed = screen.add('> hello ')
    screen.print('x'.repeat(21))
    take()
    expect(typed.replace('hello ✓')).toBe(true)
    expect(take()).toBe(`\r\u001b[3A\u001b[Jhello ✓\n${'x'.repeat(21)}\n> `)
  })

  it('touches nothing that has left the screen', () => {
    const { screen, take } = open({ rows: 3 })
    const first = screen.print('one')
    screen.print('two\nthree')
    take()
    expect(first.replace('other')).toBe(false)
    expect(take()).toBe('')
  })
})
