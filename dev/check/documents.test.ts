import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDecisions, checkErrors, checkScripts, checkStorage, checkVariables } from './documents.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8')

describe('docs/errors.md', () => {
  const text = read('docs/errors.md')

  it('agrees with the code', () => {
    expect(checkErrors(text)).toEqual([])
  })

  it.each([
    ['a code without a section', text.replace(/^## LAST_ADMIN$.*?(?=^## )/ms, ''), 'LAST_ADMIN'],
    ['a section without a code', `${text}\n## TEAPOT\n`, 'TEAPOT'],
    ['another status', text.replace('**Status** 413', '**Status** 400'), 'PAYLOAD_TOO_LARGE'],
    ['no advice', text.replace('**What to do** Send less.', ''), 'What to do'],
    ['an example of another code', text.replace('"code": "FORBIDDEN"', '"code": "NOT_FOUND"'), 'FORBIDDEN'],
  ])('is refused with %s', (_, changed, named) => {
    expect(checkErrors(changed)).toEqual([expect.stringContaining(named)])
  })
})

describe('docs/storage.md', () => {
  const text = read('docs/storage.md')

  it('agrees with the code', () => {
    expect(checkStorage(text)).toEqual([])
  })

  it.each([
    ['a table that is gone', text.replace('# R2', '## carts\n\n# R2'), 'carts'],
    [
      'an index that is gone',
      text.replace('## sessions', '## sessions\n`sessions_old_idx`'),
      'sessions_old_idx',
    ],
    ['a constraint left out', text.replace('`products_stock_check`', ''), 'products_stock_check'],
  ])('is refused with %s', (_, changed, named) => {
    expect(checkStorage(changed)).toEqual([expect.stringContaining(named)])
  })

  it('is refused with a table left out', () => {
    const changed = text.replace(/^## sessions$.*?(?=^## )/ms, '')
    expect(checkStorage(changed)).toContain('sessions is in src/db/schema.ts and not in docs/storage.md')
  })
})

describe('variables', () => {
  const example = read('.dev.vars.example')

  it('agree', () => {
    expect(checkVariables(example)).toEqual([])
  })

  it.each([
    ['one that no code reads', `${example}\nLUCKY_NUMBER=7\n`, 'LUCKY_NUMBER is in .dev.vars.example'],
    ['one left out', example.replace(/^JWT_ISSUER=.*$/m, ''), 'JWT_ISSUER is in src/config.ts'],
  ])('are refused with %s', (_, changed, named) => {
    expect(checkVariables(changed)).toEqual([expect.stringContaining(named)])
  })

  it('are refused when wrangler.toml has others', () => {
    const [, ...problems] = checkVariables(example, { vars: { EXTRA: '' }, secrets: { required: [] } })
    expect(problems).toContain('EXTRA is in wrangler.toml and not in src/config.ts')
    expect(problems).toContain('DATABASE_URL is in src/config.ts and not in wrangler.toml')
  })
})

describe("README.md's scripts", () => {
  const text = read('README.md')

  it('are those of package.json', () => {
    expect(checkScripts(text)).toEqual([])
    expect(checkScripts(text.replace('| `npm run openapi`', '| `npm run swagger`'))).toEqual([
      'openapi is in package.json and not in README.md',
      'swagger is in README.md and not in package.json',
    ])
  })
})

describe("README.md's decisions", () => {
  it('are those of docs/adr', () => {
    const text = read('README.md')
    expect(checkDecisions(text)).toEqual([])
    expect(checkDecisions(text.replace('0015-refresh-tokens-in-families.md', '0015-gone.md'))).toEqual([
      'docs/adr/0015-refresh-tokens-in-families.md is in docs/adr and not in README.md',
      'docs/adr/0015-gone.md is in README.md and not in docs/adr',
    ])
  })
})
