import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { parseVars, readVarFiles, resolveVars } from './vars.ts'

const root = join(import.meta.dirname, '..')
const example = { LOG_LEVEL: 'debug', DATABASE_URL: '', JWT_KEYS: '', CORS_ORIGINS: '' }
const resolved = (layers: Partial<Parameters<typeof resolveVars>[0]>) => {
  const { chosen, defaults } = resolveVars({ example, devVars: {}, env: {}, secrets: {}, ...layers })
  return { ...defaults, ...chosen }
}

describe('a line of .dev.vars', () => {
  it.each([
    ['A=b', 'b'],
    ['  A = b c  ', 'b c'],
    ['export A=b', 'b'],
    ['A=', ''],
    ["A=''", ''],
    ['A= # nothing', ''],
    ['A=b # why', 'b'],
    ['A="b # c" # why', 'b # c'],
    ["A='b\"c'", 'b"c'],
    ['A=[{"kty":"EC"}]', '[{"kty":"EC"}]'],
    ["A='p$w\\d'", 'p$w\\d'],
    ['A=postgres://u:p$x@h/d?a=b', 'postgres://u:p$x@h/d?a=b'],
  ])('%s is read as it stands', (line, value) => {
    expect(parseVars(`\uFEFF# comment\r\n\r\n${line}\r\n`, 'f')).toEqual({ A: value })
  })

  it.each(['A', '=b', 'A b=c', '1A=b', 'A="b', "A='b' c", 'A=b#c', 'A=`b`'])(
    '%s is refused by its number',
    (line) => {
      expect(() => parseVars(`B=1\n${line}`, '.dev.vars')).toThrow(
        /^\.dev\.vars, line 2: expected NAME=value/,
      )
    },
  )

  it('is refused when its variable is unknown or set before, without telling the value', () => {
    expect(() => parseVars('\nAA=hush', 'f', ['A'])).toThrow(/^f, line 2: AA is no variable of Selvedge[^]*$/)
    expect(() => parseVars('A=1\nA=hush', 'f', ['A'])).toThrow(
      'f, line 2: A is set a second time; keep one of the two lines.',
    )
  })
})

describe('a variable', () => {
  it('comes from the environment before .dev.vars before the random secret before the example', () => {
    const env = { LOG_LEVEL: 'error', JWT_KEYS: 'env' }
    const devVars = { LOG_LEVEL: 'warn', JWT_KEYS: 'file' }
    const secrets = { JWT_KEYS: 'random' }
    expect(resolved({ env, devVars, secrets })).toMatchObject({ LOG_LEVEL: 'error', JWT_KEYS: 'env' })
    expect(resolved({ devVars, secrets })).toMatchObject({ LOG_LEVEL: 'warn', JWT_KEYS: 'file' })
    expect(resolved({ secrets })).toMatchObject({ LOG_LEVEL: 'debug', JWT_KEYS: 'random' })
  })

  it('that is empty counts as not set, and an empty one in the environment hides that of .dev.vars', () => {
    expect(resolved({ devVars: { LOG_LEVEL: '' } }).LOG_LEVEL).toBe('debug')
    expect(resolved({ env: { DATABASE_URL: '' }, devVars: { DATABASE_URL: 'x' } }).DATABASE_URL).toBe('')
  })

  it('of the parent environment that the example does not name goes nowhere', () => {
    expect(Object.keys(resolved({ env: { AWS_SECRET_ACCESS_KEY: 'x' } }))).toEqual(Object.keys(example))
  })

  it('of .dev.vars.example is declared in wrangler.toml and the other way round, else wrangler would drop it', () => {
    const config = parse(readFileSync(join(root, 'wrangler.toml'), 'utf8'))
    const { vars, secrets } = config as { vars: object; secrets: { required: string[] } }
    const declared = [...Object.keys(vars), ...secrets.required].sort()
    expect(Object.keys(readVarFiles(root).example).sort()).toEqual(declared)
  })
})
