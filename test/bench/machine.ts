import { cpus, totalmem } from 'node:os'
import { workerd } from './workerd.ts'

/** Where and when a section was measured; nothing that names the machine itself. */
export const contextOf = (command: string): string => {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const machine = `${cpus().length} cores (${cpu?.model.trim()}), ${memory} GiB`
  const versions = `Node ${process.versions.node}, workerd ${workerd.version}`
  return `${new Date().toISOString().slice(0, 10)}, ${machine}, ${versions}: \`${command}\``
}
