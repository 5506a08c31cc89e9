import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Names one process for good: the system may give its pid to another one later, but not with the same start. */
export type ProcessId = { pid: number; startedAt: string }
export type Process = ProcessId & { group: number; command: string }

const onLinux = process.platform === 'linux'

/** Every live process; a zombie has ended and only waits for its parent to notice. */
export function listProcesses(): Process[] {
  if (!onLinux) return listByPs()
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []))
}

/** The process that has this pid now, or undefined. */
export function findProcess(pid: number): Process | undefined {
  return onLinux ? readProcess(pid) : listByPs(pid)[0]
}

export function isRunning(id: ProcessId): boolean {
  return findProcess(id.pid)?.startedAt === id.startedAt
}

export function listGroup(group: number): Process[] {
  return listProcesses().filter((one) => one.group === group)
}

/** Reports the members of a group now, and again whenever a look finds others. */
export function followGroup(group: number, onChange: (now: readonly Process[]) => void, everyMs = 3_000) {
  let known = ''
  const look = () => {
    const now = listGroup(group)
    const names = now.map((one) => `${one.pid} ${one.startedAt}`).join()
    if (names !== known) onChange(now)
    known = names
  }
  look()
  const timer = setInterval(look, everyMs)
  return { look, stop: () => clearInterval(timer) }
}

export function signalGroup(group: number, signal: NodeJS.Signals): void {
  sendSignal(-group, signal)
}

/** Ends every process of a group, its leader politely first if a grace is given; false if one survives. */
export async function endGroup(group: number, graceMs = 0): Promise<boolean> {
  if (graceMs > 0) {
    sendSignal(group, 'SIGTERM')
    if (await groupIsGone(group, graceMs)) return true
  }
  signalGroup(group, 'SIGKILL')
  return groupIsGone(group, 2_000)
}

function sendSignal(to: number, signal: NodeJS.Signals): void {
  try {
    process.kill(to, signal)
  } catch (error) {
    // ESRCH: nobody is left. EPERM (macOS): only zombies are left.
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')))
      throw error
  }
}

async function groupIsGone(group: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (listGroup(group).length > 0) {
    if (performance.now() > deadline) return false
    await sleep(25)
  }
  return true
}

const linuxBoot = onLinux ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : ''

function readProcess(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, the name, is in brackets and may contain anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return { pid, group: Number(fields[2]), startedAt: `${linuxBoot}/${fields[19]}`, command }
  } catch {
    return undefined // it ended meanwhile
  }
}

const psLine = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/

function listByPs(pid?: number): Process[] {
  const which = pid === undefined ? ['-A'] : ['-p', String(pid)]
  const columns = ['-o', 'pid=', '-o', 'pgid=', '-o', 'state=', '-o', 'lstart=', '-o', 'command=']
  let text = ''
  try {
    text = execFileSync('ps', [...which, ...columns], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    })
  } catch {
    return [] // ps exits with 1 when there is no such process
  }
  return text.split('\n').flatMap((line) => {
    const [, id, group, state = 'Z', startedAt = '', command = ''] = psLine.exec(line) ?? []
    return state.startsWith('Z') ? [] : [{ pid: Number(id), group: Number(group), startedAt, command }]
  })
}
