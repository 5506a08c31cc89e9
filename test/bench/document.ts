import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { projectRoot } from '../support/stack.ts'

const path = join(projectRoot, 'docs/benchmarks.md')

const preface = `# Benchmarks

Written by \`npm run bench\`; a run with names (\`npm run bench -- routes\`) replaces the sections that it measured.
Generator, Worker and database stand beside each other on one machine, named in each section, so milliseconds and requests
a second are its own. What holds elsewhere is the ratios: each is one of medians, from rounds that alternate within one run.
Workers run in workerd, bundled by wrangler: the product as it is deployed, the others from \`test/bench/workers\` with the
same settings. One answer that is not the expected one fails the run.

A new bench is a file in \`test/bench/benches\` that exports a \`Bench\` and its entry in the list of \`test/bench/main.ts\`:
\`run\` gets the \`Context\` (builds, servers, databases, rounds) and answers a \`Section\`, its tables and aims. What it is
compared with is a Worker of its own in \`test/bench/workers\`, started by \`startWorker(await builds.of('<file>'), env)\`;
\`inRounds\` lets contenders take turns.`

/** Each section by its title, in the order of the file. */
const sectionsOf = (text: string): Map<string, string> =>
  new Map(
    text
      .split(/^(?=## )/m)
      .flatMap((part) => (part.startsWith('## ') ? [[part.split('\n', 1)[0] ?? '', part.trim()]] : [])),
  )

/** Sections in the place of their older selves, new ones at the end. */
export const mergeSections = (text: string, sections: string[]): string => {
  const all = sectionsOf(text)
  for (const [title, section] of sectionsOf(sections.join('\n\n'))) all.set(title, section)
  return [preface, ...all.values()].join('\n\n')
}

export const writeDocument = async (sections: string[]): Promise<void> => {
  const text = mergeSections(await readFile(path, 'utf8').catch(() => ''), sections)
  const options = { ...(await resolveConfig(path)), parser: 'markdown', proseWrap: 'always' } as const
  await writeFile(path, await format(text, options))
}
