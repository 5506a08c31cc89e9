import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { projectRoot } from '../support/stack.ts'

const document = () => readFileSync(join(projectRoot, 'docs/benchmarks.md'), 'utf8')

it('a bench measures Workers in workerd from end to end, and a quick one leaves the document as it is', async () => {
  const before = document()
  const args = ['test/bench/main.ts', 'limiter', '--quick']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: projectRoot })
  expect(stdout).toContain('## Decisions of the limiter')
  const [, object, redis] = /\| decisions a second \| (\d+) \/s \| (\d+) \/s \|/.exec(stdout) ?? []
  expect(Number(object)).toBeGreaterThan(0)
  expect(Number(redis)).toBeGreaterThan(0)
  expect(document()).toBe(before)
})

it('a name that no bench has is refused with the list of those there are', async () => {
  const run = promisify(execFile)(process.execPath, ['test/bench/main.ts', 'nothing'], { cwd: projectRoot })
  await expect(run).rejects.toMatchObject({
    stderr: expect.stringMatching(/No bench 'nothing'[\s\S]*routes/),
  })
})
