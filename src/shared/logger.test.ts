import { describe, expect, it } from 'vitest'
import { createLogger } from './logger.ts'
import { describeError } from './describe-error.ts'

const capture = (pretty = false) => {
  const lines: string[] = []
  return { log: createLogger({ level: 'debug', pretty, write: (line) => lines.push(line) }), lines }
}

describe('a log line', () => {
  it('is one JSON object that begins with level, time, msg and requestId', () => {
    const { log, lines } = capture()
    log.with({ requestId: 'abcdefgh' }).warn('something happened', { n: 1 })
    expect(lines).toHaveLength(1)
    expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual(['level', 'time', 'msg', 'requestId', 'n'])
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', msg: 'something happened' })
  })

  it('is left out below the level', () => {
    const lines: string[] = []
    createLogger({ level: 'warn', pretty: false, write: (line) => lines.push(line) }).info('quiet')
    expect(lines).toEqual([])
  })

  it('does not expand braces that came from outside', () => {
    const { log, lines } = capture()
    log.info('path', { path: '/{password}', user: '{secret}' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ path: '/{password}', user: '{secret}' })
  })
})

describe('redaction', () => {
  const canary = 'CANARY-5f1d'
  const hidden: [string, Record<string, unknown>][] = [
    ['a password', { password: canary }],
    ['odd letter case', { PassWord: canary, ACCESSTOKEN: canary, Api_Key: canary, apikey: canary }],
    ['deep nesting', { a: { b: [{ c: [{ d: { newPassword: canary } }] }] } }],
    ['an object under a secret name', { token: { value: canary } }],
    [
      'headers',
      { headers: { Authorization: `Bearer ${canary}`, cookie: `sid=${canary}`, 'X-Api-Key': canary } },
    ],
    ['websocket tickets', { headers: { 'Sec-WebSocket-Protocol': `selvedge.v1, ticket.${canary}` } }],
    ['cards', { creditCard: canary, card_number: canary, cvv: canary }],
    ['an assignment in free text', { note: `tried password=${canary} and token: ${canary}` }],
    [
      'JSON in free text',
      { note: JSON.stringify({ password: canary, nested: JSON.stringify({ secret: canary }) }) },
    ],
    ['a bearer in free text', { note: `got Bearer ${canary}` }],
    ['a database address', { note: `postgres://user:${canary}@host/db` }],
    ['an error message', { error: describeError(new Error(`bad password=${canary}`)) }],
    ['a cause', { error: describeError(new Error('x', { cause: new Error(`secret: ${canary}`) })) }],
  ]
  it.each(hidden)('hides %s', (_, fields) => {
    for (const pretty of [false, true]) {
      const { log, lines } = capture(pretty)
      log.info('m', fields)
      expect(lines).toHaveLength(1)
      expect(lines[0]).not.toContain(canary)
    }
  })

  it('hides what looks like a token or a card number wherever it stands', () => {
    const { log, lines } = capture()
    const jwt = `eyJhbGciOiJFUzI1NiJ9.${btoa('{"sub":"1234567890"}').replaceAll('=', '')}.c2lnbmF0dXJlLXNpZ25hdHVyZQ`
    log.info('m', { note: `see ${jwt} or 4111 1111 1111 1111` })
    expect(lines[0]).not.toMatch(/eyJ|4111/)
  })

  it.each(['4111111111111111', '4111-1111-1111-1111', 'order 12345678-4111-1111-1111-1111'])(
    'hides the number of a card: %s',
    (note) => {
      const { log, lines } = capture()
      log.info('m', { note })
      expect(lines[0]).not.toContain('1111')
    },
  )

  it.each([
    '01993f2a-4111-4111-8111-111111111111',
    'aaaabbbb-cccc-4111-8111-111111111111',
    '12345678-4111-4111-8111-111111111111',
  ])('keeps an id, whatever digits it has: %s', (id) => {
    const { log, lines } = capture()
    log.info(`took ${id}`, { id })
    expect(lines[0]?.split(id)).toHaveLength(3)
  })

  it('keeps what is no secret', () => {
    const { log, lines } = capture()
    log.info('m', {
      userId: '0199-1',
      path: '/api/auth/login',
      tokenType: 'Bearer',
      body: { email: 'a@b.test' },
    })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ userId: '0199-1', body: { email: 'a@b.test' } })
  })

  it('survives cycles and depth', () => {
    const { log, lines } = capture()
    const cycle: Record<string, unknown> = { password: canary }
    cycle['self'] = cycle
    let deep: unknown = { password: canary }
    for (let i = 0; i < 5_000; i++) deep = [deep]
    log.info('m', { deep })
    expect(lines.join()).not.toContain(canary)
    log.info('m', { cycle })
    expect(lines.join()).not.toContain(canary)
  })
})

describe('describeError', () => {
  it('drops what a database driver quotes and keeps its code', () => {
    const error = Object.assign(new Error('Key (email)=(x@y.test) already exists'), {
      name: 'NeonDbError',
      code: '23505',
      constraint: 'users_email_unique',
      detail: 'Key (email)=(x@y.test)',
    })
    expect(describeError(error)).toEqual({
      name: 'NeonDbError',
      code: '23505',
      constraint: 'users_email_unique',
    })
  })
})

describe('redaction of other spellings', () => {
  const canary = 'CANARY-77aa'
  it.each([
    'Pass_Word',
    'pwd',
    'otp',
    'pin',
    'jwtKeys',
    'signature',
    'session',
    'accessKey',
    'Authentication',
  ])('hides %s', (name) => {
    const { log, lines } = capture()
    log.info('m', { body: [{ [name]: canary }] })
    expect(lines[0]).not.toContain(canary)
  })

  it.each([
    `password="two words ${canary}"`,
    JSON.stringify({ password: `two words ${canary}` }),
    `postgres://u:p@${canary}@host/db`,
  ])('hides all of the value in %s', (note) => {
    for (const pretty of [false, true]) {
      const { log, lines } = capture(pretty)
      log.info('m', { note })
      expect(lines[0]).not.toContain(canary)
    }
  })

  it('writes control characters as escapes in the pretty form', () => {
    const { log, lines } = capture(true)
    log.info('m', { path: '/\u001b[31mred' })
    expect(lines[0]).not.toContain('\u001b')
  })
})
