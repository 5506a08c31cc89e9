import { basename, join } from 'node:path'
import ts from 'typescript'

const protocolFile = 'src/chat/protocol.ts'

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.es2024.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  declaration: true,
  emitDeclarationOnly: true,
  types: [],
}

/** How a type is printed. */
const written =
  ts.TypeFormatFlags.NoTruncation |
  ts.TypeFormatFlags.InTypeAlias |
  ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType

/** Values of the protocol that the client takes the types of. */
const typed = ['closeCodes', 'limits']

/** The protocol's types written out: what zod infers, without zod. */
const writeOut = (program: ts.Program, file: string): string => {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${file} is no module of the client`)
  const print = (type: ts.Type) => checker.typeToString(type, undefined, written)
  const lines = checker.getExportsOfModule(module).flatMap((symbol) => {
    const alias = symbol.declarations?.find(ts.isTypeAliasDeclaration)
    if (alias?.typeParameters !== undefined) return [alias.getText()]
    if (alias !== undefined) {
      return [`export type ${symbol.name} = ${print(checker.getDeclaredTypeOfSymbol(symbol))}`]
    }
    if (!typed.includes(symbol.name)) return []
    return [`export declare const ${symbol.name}: ${print(checker.getTypeOfSymbol(symbol))}`]
  })
  return `${lines.join('\n')}\n`
}

/** The client's declarations, each beside the others; where one imports the protocol, it finds it written out. */
export const printTypes = (root: string): { name: string; text: string }[] => {
  const program = ts.createProgram([join(root, 'src/client/index.ts')], options)
  const problems = ts.getPreEmitDiagnostics(program)
  if (problems.length > 0) {
    throw new Error(
      ts.formatDiagnostics(problems, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => root,
        getNewLine: () => '\n',
      }),
    )
  }
  const files: { name: string; text: string }[] = []
  program.emit(undefined, (name, text) => {
    if (!name.includes('src/client/')) return
    const local = text
      .replaceAll("'../chat/protocol.ts'", "'./protocol.ts'")
      .replaceAll(/(from '\.\/[a-z-]+)\.ts'/g, "$1.js'")
    files.push({ name: basename(name), text: local })
  })
  return [...files, { name: 'protocol.d.ts', text: writeOut(program, join(root, protocolFile)) }]
}
