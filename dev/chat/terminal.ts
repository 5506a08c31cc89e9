import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { createScreen, type Printed } from './screen.ts'
import { plain } from './text.ts'

type Input = Pick<ReadStream, 'isTTY'> & NodeJS.ReadableStream
type Output = Pick<WriteStream, 'isTTY' | 'columns' | 'rows'> & NodeJS.WritableStream

export type Terminal = ReturnType<typeof createTerminal>

const nowhere: Printed = { replace: () => false }

/** To the output, unless `isMuted`. */
const muffle = (output: Output, isMuted: () => boolean) => {
  const muffled = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      if (!isMuted()) output.write(chunk)
      done()
    },
  })
  Object.defineProperty(muffled, 'columns', { get: () => output.columns })
  output.on('resize', () => muffled.emit('resize'))
  return muffled
}

/** Lines in and out: of a person, with a prompt, or of a pipe. */
export const createTerminal = (input: Input, output: Output) => {
  const isInteractive = input.isTTY && output.isTTY
  let isMuted = false
  let isClosed = false
  const readline = createInterface({
    input,
    output: muffle(output, () => isMuted),
    terminal: isInteractive,
  })
  // A terminal that does not say how large it is says 0.
  const size = () => ({ columns: output.columns || 80, rows: output.rows || 24 })
  const ended = new AbortController()
  const screen = createScreen({
    write: (text) => void output.write(text),
    size,
    cursorRow: () => (isClosed ? 0 : readline.getCursorPos().rows),
    prompt: () => {
      if (!isClosed) readline.prompt(true)
    },
  })

  readline.on('close', () => {
    isClosed = true
    ended.abort()
    // The prompt that nobody answered.
    if (isInteractive) output.write('\r\u001b[J')
  })
  // A password is not to come back by the arrow keys.
  readline.on('history', (history) => {
    if (isMuted) history.shift()
  })

  /** Typed lines that nobody has dealt with, as they stand on the screen. */
  const echoed: Printed[] = []
  readline.on('line', (text) => {
    // A line that fills its row makes readline take the next one too: the space at the end stands for that.
    echoed.push(isInteractive ? screen.add(`${readline.getPrompt()}${plain(text)} `) : nowhere)
  })
  // From now on: what is piped in may end before the login has.
  const typed = readline[Symbol.asyncIterator]()

  return {
    isInteractive,
    /** Infinity: of a pipe. */
    columns: (): number => (isInteractive ? size().columns : Infinity),
    print(text: string): Printed {
      if (isInteractive) return screen.print(text)
      output.write(`${text}\n`)
      return nowhere
    },
    /** @throws AbortError when the input ends instead */
    ask: async (question: string): Promise<string> =>
      await readline.question(question, { signal: ended.signal }),
    /** Without an echo. @throws AbortError as `ask` */
    async askSecretly(question: string): Promise<string> {
      if (!isInteractive) return await readline.question(question, { signal: ended.signal })
      const answer = readline.question(question, { signal: ended.signal })
      isMuted = true
      try {
        return await answer
      } finally {
        isMuted = false
        output.write('\n')
      }
    },
    /** Every line, and how it stands on the screen, until the input ends or `close` is called. */
    async *lines(): AsyncGenerator<{ text: string; echo: Printed }, void> {
      if (isInteractive && !isClosed) readline.prompt()
      for await (const text of typed) {
        yield { text, echo: echoed.shift() ?? nowhere }
        // What was typed meanwhile stays.
        if (isInteractive && !isClosed) readline.prompt(true)
      }
    },
    close: (): void => readline.close(),
  }
}
