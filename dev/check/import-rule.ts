import { matchesGlob, posix, relative } from 'node:path'
import type { RuleTester } from 'oxlint/plugins-dev'
import manifest from '../../package.json' with { type: 'json' }
import { packages, rows, type Row } from './import-table.ts'

type Rule = Parameters<RuleTester['run']>[1]

type Ranged = { range: [number, number] }

type Import = { from: string; specifier: string; values: string[]; types: string[] }

const rowOf = (path: string): Row | undefined =>
  rows.find(({ files }) => files.some((glob) => matchesGlob(path, glob)))

const featureOf = (path: string): string => path.split('/').slice(0, 2).join('/')

const isOurs = (specifier: string): boolean => specifier.startsWith('.')

/** `@scope/name` of `@scope/name/path`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const dependencies = new Set(Object.keys(manifest.dependencies))
const allDependencies = new Set([...dependencies, ...Object.keys(manifest.devDependencies)])

/** Neither a file, nor of the platform, nor in package.json: a path alias, or a dependency by accident. */
const isUndeclared = (specifier: string, isProduct: boolean): boolean =>
  !isOurs(specifier) &&
  !/^(node|cloudflare):/.test(specifier) &&
  !(isProduct ? dependencies : allDependencies).has(packageOf(specifier))

/** The targets that an import stands for (none for a file that no row knows), and how to call it. */
const targetsOf = ({ from, specifier }: Import): { targets: string[]; shown: string } => {
  if (!isOurs(specifier)) {
    const [name = 'package'] = packages.find(([, pattern]) => pattern.test(specifier)) ?? []
    return { targets: [name], shown: specifier }
  }
  const path = posix.join(posix.dirname(from), specifier)
  const row = rowOf(path)
  if (row === undefined) return { targets: [], shown: path }
  const own = featureOf(path) === featureOf(from) ? [`own ${row.name}`] : []
  return { targets: [row.name, ...own], shown: `${path} (${row.name})` }
}

const admits = (allowed: readonly string[], targets: readonly string[]): boolean =>
  targets.some((target) => allowed.includes(target)) || (allowed.includes('*') && !targets.includes('worker'))

/** What is wrong with an import, undefined when nothing is. */
const judgeImport = (one: Import): string | undefined => {
  const row = rowOf(one.from)
  if (row === undefined) return `${one.from} belongs to no row of dev/check/import-table.ts`
  const isProduct = !row.values.includes('*')
  if (isUndeclared(one.specifier, isProduct)) {
    return `${one.specifier} is no dependency${isProduct ? ' of the product' : ''}; path aliases are not used`
  }
  const { targets, shown } = targetsOf(one)
  const { name, values, types = [], names = {} } = row
  const known = names[one.specifier] ?? []
  const strange = (of: string[]) => of.some((imported) => !known.includes(imported))
  if (strange(one.values) && !admits(values, targets)) {
    const asType = admits(types, targets) ? ', except as a type' : ''
    return `${one.from} (${name}) may not import ${shown}${asType}`
  }
  if (strange(one.types) && !admits([...values, ...types], targets)) {
    return `${one.from} (${name}) may not import ${shown}, not even as a type`
  }
  return undefined
}

type Specifier = {
  type: string
  importKind?: string | null
  imported?: { type: string; name?: string; value?: string }
}

const nameOf = ({ imported }: Specifier): string => imported?.name ?? imported?.value ?? '*'

const split = (specifiers: readonly Specifier[], allTypes: boolean) => ({
  values: allTypes ? [] : specifiers.filter(({ importKind }) => importKind !== 'type').map(nameOf),
  types: specifiers.filter(({ importKind }) => allTypes || importKind === 'type').map(nameOf),
})

export const importRule: Rule = {
  meta: { type: 'problem', docs: { description: 'Keeps to the table of who may import whom' } },
  create(context) {
    const from = relative(context.cwd, context.filename).replaceAll('\\', '/')
    const row = rowOf(from)

    const judge = (node: Ranged, specifier: string, of: { values: string[]; types: string[] }) => {
      const message = judgeImport({ from, specifier, ...of })
      if (message !== undefined) context.report({ node, message })
    }

    const refuseReexport = (node: Ranged) => {
      if (row?.reexports !== true)
        context.report({ node, message: 'No barrels: import from where it is defined' })
    }

    return {
      ImportDeclaration(node) {
        const isBare = node.specifiers.length === 0
        const of = isBare ? { values: ['*'], types: [] } : split(node.specifiers, node.importKind === 'type')
        judge(node, node.source.value, of)
      },
      ExportNamedDeclaration(node) {
        if (node.source === null) return
        refuseReexport(node)
        const isType = node.exportKind === 'type'
        judge(node, node.source.value, { values: isType ? [] : ['*'], types: isType ? ['*'] : [] })
      },
      ExportAllDeclaration(node) {
        refuseReexport(node)
        judge(node, node.source.value, { values: ['*'], types: [] })
      },
      ImportExpression(node) {
        const { source } = node
        if (source.type === 'Literal' && typeof source.value === 'string') {
          judge(node, source.value, { values: ['*'], types: [] })
        } else if (row?.values.includes('*') !== true) {
          context.report({ node, message: 'An import that is only known when it runs cannot be checked' })
        }
      },
      TSImportType(node) {
        judge(node, node.source.value, { values: [], types: ['*'] })
      },
      'Program:exit'(node) {
        const forbidden = row?.globals ?? []
        for (const { identifier } of context.sourceCode.getScope(node).through) {
          if (!forbidden.includes(identifier.name)) continue
          context.report({
            node: identifier,
            message: `${row?.name} knows no ${identifier.name}: that belongs to HTTP`,
          })
        }
      },
    }
  },
}
