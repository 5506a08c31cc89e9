import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import { parse } from 'smol-toml'
import { z } from 'zod'
import manifest from '../../package.json' with { type: 'json' }
import { Environment } from '../../src/config.ts'
import * as schema from '../../src/db/schema.ts'
import { statuses } from '../../src/http/errors.ts'
import { parseVars } from '../vars.ts'

const root = join(import.meta.dirname, '../..')

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Problems, one a line; an empty list is a document that agrees with the code. */
type Problems = string[]

/** What either side has and the other lacks. */
const compare = (one: [where: string, names: string[]], other: typeof one): Problems => {
  const missing = ([here, names]: typeof one, [there, known]: typeof one) => {
    const set = new Set(known)
    return names.flatMap((name) => (set.has(name) ? [] : [`${name} is in ${here} and not in ${there}`]))
  }
  return [...missing(one, other), ...missing(other, one)]
}

/** The text below each `## name`. */
const sectionsOf = (text: string): Map<string, string> => {
  const [, ...sections] = text.split(/^## /m)
  return new Map(
    sections.map((section) => {
      const end = section.indexOf('\n')
      return [section.slice(0, end).trim(), section.slice(end)]
    }),
  )
}

const Example = z.object({ error: z.object({ code: z.string(), requestId: z.string() }) })

const exampleOf = (section: string): string | undefined => {
  const [, text] = /```json\n(.*?)```/s.exec(section) ?? []
  try {
    return Example.parse(JSON.parse(text ?? '')).error.code
  } catch {
    return undefined
  }
}

/** docs/errors.md: a section a code, each with its status, its parts and an example of its own. */
export const checkErrors = (text = read('docs/errors.md')): Problems => {
  const sections = sectionsOf(text)
  const parts = ['**Meaning**', '**When**', '**What to do**']
  return [
    ...compare(['src/shared/errors.ts', Object.keys(statuses)], ['docs/errors.md', [...sections.keys()]]),
    ...Object.entries(statuses).flatMap(([code, status]) => {
      const section = sections.get(code)
      if (section === undefined) return []
      return [
        ...(section.includes(`**Status** ${status}`) ? [] : [`${code}: its status is ${status}`]),
        ...parts.filter((part) => !section.includes(part)).map((part) => `${code}: ${part} is missing`),
        ...(exampleOf(section) === code ? [] : [`${code}: there is no JSON example of it`]),
      ]
    }),
  ]
}

const namesOf = (table: PgTable): string[] => {
  const { checks, indexes, uniqueConstraints, foreignKeys, primaryKeys } = getTableConfig(table)
  return [
    ...checks.map(({ name }) => name),
    ...indexes.map(({ config }) => config.name ?? ''),
    ...uniqueConstraints.map((one) => one.getName() ?? ''),
    ...foreignKeys.map((one) => one.getName()),
    ...primaryKeys.map((one) => one.getName()),
  ]
}

/** docs/storage.md: a section a table, each with every constraint and index by name, and none that is gone. */
export const checkStorage = (text = read('docs/storage.md')): Problems => {
  const tables = Object.values(schema).map((table) => ({
    name: getTableConfig(table).name,
    names: namesOf(table),
  }))
  const [body = ''] = text.split(/^# (?:R2|Elsewhere)$/m)
  const sections = sectionsOf(body)
  return [
    ...compare(
      ['src/db/schema.ts', tables.map(({ name }) => name)],
      ['docs/storage.md', [...sections.keys()]],
    ),
    ...tables.flatMap(({ name, names }) => {
      const told = (sections.get(name) ?? '').matchAll(/`(\w+_(?:idx|check|unique|once|pk|fk))`/g)
      return compare([`table ${name}`, names], ['docs/storage.md', [...told].map(([, one = '']) => one)])
    }),
  ]
}

const Wrangler = z.looseObject({
  vars: z.record(z.string(), z.string()),
  secrets: z.object({ required: z.array(z.string()) }),
})

/** Names that wrangler.toml binds to something other than text. */
const bindingsOf = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'binding' && typeof inner === 'string' ? [inner] : bindingsOf(inner),
  )
}

/** What only some deployments bind: the runbook has them. */
const ownBindings = ['SCANNER']

/** The same variables in .dev.vars.example, src/config.ts and wrangler.toml. */
export const checkVariables = (
  example = read('.dev.vars.example'),
  wrangler = Wrangler.parse(parse(read('wrangler.toml'))),
): Problems => {
  const bindings = bindingsOf(wrangler)
  const inCode = Object.keys(Environment.shape).filter(
    (name) => !bindings.includes(name) && !ownBindings.includes(name),
  )
  const inExample = Object.keys(parseVars(example, '.dev.vars.example'))
  const inWrangler = [...Object.keys(wrangler.vars), ...wrangler.secrets.required]
  return [
    ...compare(['src/config.ts', inCode], ['.dev.vars.example', inExample]),
    ...compare(['src/config.ts', inCode], ['wrangler.toml', inWrangler]),
  ]
}

/** README's table of scripts against package.json. */
export const checkScripts = (readme = read('README.md')): Problems => {
  const rows = readme.matchAll(/^\| `npm (?:run )?([\w:-]+)[^`]*`/gm)
  return compare(
    // npm runs `prepack` by itself.
    ['package.json', Object.keys(manifest.scripts).filter((name) => name !== 'prepack')],
    ['README.md', [...rows].map(([, name = '']) => name)],
  )
}

/** README's list of decisions against docs/adr. */
export const checkDecisions = (readme = read('README.md')): Problems =>
  compare(
    ['docs/adr', globSync('docs/adr/*.md', { cwd: root })],
    ['README.md', [...readme.matchAll(/\]\((docs\/adr\/[^)]+\.md)\)/g)].map(([, path = '']) => path)],
  )

/** Links between our documents lead somewhere. */
export const checkLinks = (files = ['README.md', ...globSync('docs/**/*.md', { cwd: root })]): Problems =>
  files.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].flatMap(([, target = '']) =>
      existsSync(resolve(root, dirname(file), target)) ? [] : [`${file}: ${target} does not exist`],
    ),
  )
