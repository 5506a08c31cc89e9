import { execFileSync } from 'node:child_process'
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const DEBIAN = '/usr/lib/postgresql'

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

// A `postgres` on PATH is often a link into the folder that holds the rest.
const foldersOnPath = () =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && isExecutable(join(folder, 'postgres')))
    .flatMap((folder) => [folder, dirname(realpathSync(join(folder, 'postgres')))])

const debianFolders = () => {
  try {
    const versions = readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(DEBIAN, version, 'bin'))
  } catch {
    return []
  }
}

/** The folder with `postgres` and `initdb`: on PATH, else the newest of Debian's. */
export const findBinaries = () =>
  [...foldersOnPath(), ...debianFolders()].find((folder) =>
    ['postgres', 'initdb'].every((name) => isExecutable(join(folder, name))),
  )

/** PostgreSQL refuses root: whom to run as instead; undefined when we are not root. */
export const unprivileged = () => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }))
  return { uid: id('-u'), gid: id('-g') }
}
