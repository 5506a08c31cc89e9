import { execFile, execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const tools = ['pdftotext', 'pdftoppm', 'pdfinfo', 'pdffonts']

/** Why Debian's poppler-utils cannot be used, undefined when they can. */
export const popplerLacks = (): string | undefined => {
  try {
    for (const tool of tools) execFileSync(tool, ['-v'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'poppler-utils is not installed'
  }
}

/** A PDF as poppler reads it. Whatever poppler complains of is in `complaints`. */
export const readPdf = async (bytes: Uint8Array, folder: string) => {
  const file = join(folder, 'report.pdf')
  await writeFile(file, bytes)
  const complaints: string[] = []
  const tool = async (name: string, ...args: string[]): Promise<string> => {
    const { stdout, stderr } = await run(name, args)
    if (stderr !== '') complaints.push(`${name}: ${stderr}`)
    return stdout
  }
  const pages = (await tool('pdftotext', '-layout', file, '-')).split('\f').slice(0, -1)
  const info = await tool('pdfinfo', file)
  const fonts = await tool('pdffonts', file)
  await tool('pdftoppm', '-r', '80', '-png', file, join(folder, 'page'))
  return { pages, info, fonts, complaints }
}
