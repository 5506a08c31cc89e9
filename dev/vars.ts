import { readFileSync } from 'node:fs'
import { join } from 'node:path'

type Values = Readonly<Record<string, string>>
/** One layer's value is undefined where the layer does not speak of the variable. */
type Layer = Readonly<Record<string, string | undefined>>

/**
 * The Worker's variables. A value is chosen by the environment, else by .dev.vars; where neither has one, or it
 * is empty, it is the random secret, else the default that .dev.vars.example states. `chosen` holds only the former.
 */
export function resolveVars(layers: { example: Values; devVars: Layer; env: Layer; secrets: Layer }) {
  const names = Object.keys(layers.example)
  const chosen: Record<string, string> = {}
  for (const name of names) {
    const value = layers.env[name] ?? layers.devVars[name]
    if (value) chosen[name] = value
  }
  const defaults: Record<string, string> = {}
  for (const name of names) defaults[name] = layers.secrets[name] ?? layers.example[name] ?? ''
  return { names, chosen, defaults }
}

/** Reads .dev.vars.example, which names every variable, and .dev.vars where there is one. */
export function readVarFiles(root: string) {
  const example = parseVars(readFileSync(join(root, '.dev.vars.example'), 'utf8'), '.dev.vars.example')
  const text = readIfPresent(join(root, '.dev.vars'))
  const devVars = text === undefined ? {} : parseVars(text, '.dev.vars', Object.keys(example))
  return { example, devVars }
}

// A value is bare, or in single or double quotes; a comment follows a blank. Everything else is refused rather
// than guessed: dotenv would cut a bare password at its first `#`.
const assignment =
  /^(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'"`#](?:[^#]*[^\s#])?)?)(?:\s+#.*|\s*)$/

/** Throws one sentence that names the file and the line, never a value. */
export function parseVars(text: string, file: string, known?: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const where = `${file}, line ${index + 1}`
    const match = assignment.exec(line)
    const name = match?.[1]
    if (!match || name === undefined) {
      throw new Error(
        `${where}: expected NAME=value on one line, in quotes if the value contains # or a quote.`,
      )
    }
    if (known && !known.includes(name)) {
      throw new Error(`${where}: ${name} is no variable of Selvedge; .dev.vars.example lists them all.`)
    }
    if (Object.hasOwn(values, name))
      throw new Error(`${where}: ${name} is set a second time; keep one of the two lines.`)
    values[name] = match[2] ?? match[3] ?? match[4] ?? ''
  }
  return values
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`.dev.vars cannot be read: ${String(error)}`, { cause: error })
  }
}
