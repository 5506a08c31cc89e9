import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { findProcess, isRunning, type ProcessId } from './processes.ts'

export type Lock = { release(): void }

/** The live process that holds the lock, if any. */
export function lockHolder(file: string): ProcessId | undefined {
  const holder = readHolder(file)
  return holder && isRunning(holder) ? holder : undefined
}

/**
 * Takes the lock, or returns undefined while another live process has it. A lock survives its holder's crash as
 * a file only: one whose process is gone, or whose pid now belongs to another process, is taken over.
 */
export function takeLock(file: string): Lock | undefined {
  const own = findProcess(process.pid)
  if (!own) throw new Error('Cannot find this process in the process table.')
  const mine = JSON.stringify({ pid: own.pid, startedAt: own.startedAt } satisfies ProcessId)
  const draft = `${file}.${own.pid}`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(draft, mine)
  try {
    // Each round fails only because another process took or cleared the lock at this very moment.
    for (let round = 0; round < 20; round++) {
      if (linkIfAbsent(draft, file)) return { release: () => releaseLock(file, mine) }
      if (lockHolder(file)) return undefined
      clearStale(file)
    }
    return undefined
  } finally {
    rmSync(draft, { force: true })
  }
}

function releaseLock(file: string, mine: string): void {
  if (readText(file) === mine) rmSync(file, { force: true })
}

/** Moves a stale lock aside; should a fresh one have taken its place just now, puts that back. */
function clearStale(file: string): void {
  const aside = `${file}.${process.pid}.stale`
  try {
    renameSync(file, aside)
  } catch {
    return // another process cleared it
  }
  if (lockHolder(aside)) linkIfAbsent(aside, file)
  rmSync(aside, { force: true })
}

/** A hard link appears with its whole content or not at all, so no reader ever sees half a lock. */
function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function readHolder(file: string): ProcessId | undefined {
  try {
    const holder: unknown = JSON.parse(readText(file) ?? '')
    return isProcessId(holder) ? holder : undefined
  } catch {
    return undefined
  }
}

function isProcessId(value: unknown): value is ProcessId {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value))
    return false
  return typeof value.pid === 'number' && typeof value.startedAt === 'string'
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
