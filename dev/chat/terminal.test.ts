import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createTerminal } from './terminal.ts'

const open = (isTTY: boolean) => {
  const input = Object.assign(new PassThrough(), { isTTY })
  const output = Object.assign(new PassThrough(), { isTTY, columns: 40, rows: 10 })
  const terminal = createTerminal(input, output)
  const take = () => String(output.read() ?? '')
  const type = async (text: string) => {
    input.write(text)
    await turn()
  }
  return { terminal, input, take, type }
}

describe('a terminal', () => {
  it('ends in silence when it is closed while a line is obeyed', async () => {
    const { terminal, take, type } = open(true)
    await type('/quit\r')
    for await (const { text } of terminal.lines()) {
      expect(text).toBe('/quit')
      take()
      terminal.close()
    }
    expect(take()).toBe('\r\u001b[J')
    terminal.print('afterwards')
    expect(take()).toBe('\r\u001b[Jafterwards\n')
  })

  it('shows the question for a secret, and of the answer nothing, now or by the arrow keys', async () => {
    const { terminal, take, type } = open(true)
    const answer = terminal.askSecretly('Password ')
    expect(take()).toContain('Password ')
    await type('hunter2\r')
    expect(await answer).toBe('hunter2')
    expect(take()).toBe('\n')
    await type('\u001b[A')
    expect(take()).not.toContain('hunter2')
    terminal.close()
  })

  it('replaces what was typed', async () => {
    const { terminal, take, type } = open(true)
    const lines = terminal.lines()
    const next = lines.next()
    await type('hello\r')
    const { value } = await next
    take()
    expect(value?.echo.replace('hello ✓')).toBe(true)
    expect(take()).toMatch(/^\r\u{1b}\[1A\u{1b}\[Jhello ✓\n/u) // oxlint-disable-line no-control-regex -- what moves it
    terminal.close()
  })

  it('rejects a question when the input ends instead', async () => {
    const { terminal, type } = open(true)
    const answer = terminal.ask('E-mail address ')
    const refused = expect(answer).rejects.toMatchObject({ name: 'AbortError' })
    await type('\u0004')
    await refused
  })
})

describe('a pipe', () => {
  it('gives every line, keeps none back to be replaced, and has no width', async () => {
    const { terminal, input, take } = open(false)
    input.end('one\ntwo\n')
    const texts: string[] = []
    for await (const { text, echo } of terminal.lines()) {
      texts.push(text)
      expect(echo.replace('other')).toBe(false)
    }
    terminal.print('said')
    expect(texts).toEqual(['one', 'two'])
    expect(take()).toBe('said\n')
    expect(terminal.columns()).toBe(Infinity)
  })
})
