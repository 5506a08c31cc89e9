import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from './stack.ts'

const copied = ['src', 'workers', 'dev', 'migrations', 'public', 'web', 'wrangler.toml', 'package.json', 'tsconfig.json', '.dev.vars.example'] // prettier-ignore

export type Mutation = { file: string; remove: string; put?: string }

/** What stands before and after that which is removed. */
const around = (folder: string, { file, remove }: Mutation): string[] => {
  const parts = readFileSync(join(folder, file), 'utf8').split(remove)
  if (parts.length === 2) return parts
  throw new Error(`${file} holds ${parts.length - 1} times: ${remove}`)
}

/**
 * A copy of the product with guards taken out: the positive control of a race test. A guard that is not found word for
 * word, exactly once, is an error, so that a control cannot silently stop controlling.
 */
export const makeMutant = (mutations: Mutation[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'selvedge-mutant-'))
  for (const entry of copied) cpSync(join(projectRoot, entry), join(folder, entry), { recursive: true })
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'))
  for (const mutation of mutations) {
    writeFileSync(join(folder, mutation.file), around(folder, mutation).join(mutation.put ?? ''))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** @throws when one of them would not find what it takes out */
export const findGuards = (mutations: readonly Mutation[]): void =>
  mutations.forEach((mutation) => around(projectRoot, mutation))
