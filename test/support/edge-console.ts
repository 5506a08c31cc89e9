const store = Symbol.for('selvedge.test.lines')

type Holder = typeof globalThis & { [store]?: string[] }

const holder: Holder = globalThis

const lines = (holder[store] ??= [])

/** Keeps what is written to the console in place of printing it. The logger holds console.log from its making on. */
export const captureConsole = (): void => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    console[method] = (...parts: unknown[]) => void lines.push(parts.map(String).join(' '))
  }
}

/** Everything written since the last call. */
export const takeLines = (): string[] => lines.splice(0)
