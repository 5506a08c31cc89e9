import type { Databases } from './databases.ts'
import type { Section } from './section.ts'
import type { Servers } from './servers.ts'
import type { Builds } from './worker-build.ts'

export type Effort = {
  /** Rounds of each measurement. */
  rounds: number
  /** Length of a round where load is measured for a time. */
  seconds: number
  /** Sizes of the catalogue. */
  sizes: number[]
}

/** What every bench is given; a server starts when the first one asks for it. */
export type Context = Effort & {
  builds: Builds
  servers: Servers
  databases: Databases
  log: (line: string) => void
}

export type Bench = { name: string; about: string; run: (context: Context) => Promise<Section> }
