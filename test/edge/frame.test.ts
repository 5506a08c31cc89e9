import { describe, expect, it } from 'vitest'
import { isUuid } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

describe('the request id', () => {
  it.each(['abcdefgh', 'A.b_c-1234', 'x'.repeat(128)])('%s is kept', async (id) => {
    const { headers } = await api('GET', '/health', { headers: { 'X-Request-Id': id } })
    expect(headers.get('X-Request-Id')).toBe(id)
  })

  it.each(['short', 'x'.repeat(129), 'with space', 'semi;colon'])('%s is replaced', async (id) => {
    const { headers } = await api('GET', '/health', { headers: { 'X-Request-Id': id } })
    expect(isUuid(headers.get('X-Request-Id') ?? '')).toBe(true)
  })

  it('is made when there is none, and stands in the error', async () => {
    const { headers, error } = await api('GET', '/nowhere')
    expect(isUuid(headers.get('X-Request-Id') ?? '')).toBe(true)
    expect(error?.requestId).toBe(headers.get('X-Request-Id'))
  })
})

describe('traceparent', () => {
  it('goes on in the caller’s trace', async () => {
    const { headers } = await api('GET', '/health', {
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    })
    expect(headers.get('traceparent')).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
  })

  it('is begun when it is malformed', async () => {
    const { headers } = await api('GET', '/health', { headers: { traceparent: `00-${trace}-nonsense-01` } })
    expect(headers.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(headers.get('traceparent')).not.toContain(trace)
  })
})

describe('security headers', () => {
  const expected = {
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Referrer-Policy': 'no-referrer',
    'Strict-Transport-Security': 'max-age=63072000; includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  }

  it.each([
    ['a success', 'GET', '/health'],
    ['a 401', 'GET', '/api/auth/me'],
    ['a 404', 'GET', '/nowhere'],
    ['a 405', 'DELETE', '/health'],
    ['a 415', 'POST', '/api/auth/login'],
  ])('are on %s', async (_, method, path) => {
    const { headers } = await api(method, path, method === 'POST' ? { raw: 'x' } : {})
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, headers.get(name)]))).toEqual(
      expected,
    )
    expect(headers.has('X-Powered-By')).toBe(false)
  })

  it.each(['/', '/api/docs'])('let the page %s load from its own origin only', async (path) => {
    const { headers, text } = await api('GET', path, { headers: { Accept: 'text/html' } })
    const policy = headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toMatch(/unsafe|http|\*/)
    expect(headers.get('Content-Type')).toMatch(/^text\/html/)
    expect(text).not.toMatch(/<script>|<style|\son\w+=|style="|(?:src|href)="(?:https?:)?\/\//)
  })
})

describe('CORS', () => {
  const allowed = 'https://shop.example'
  const corsOf = (headers: Headers) => headers.get('Access-Control-Allow-Origin')

  it('admits a configured origin, on errors too', async () => {
    for (const path of ['/health', '/nowhere', '/api/auth/me']) {
      const { headers } = await api('GET', path, { headers: { Origin: allowed } })
      expect(corsOf(headers)).toBe(allowed)
      expect(headers.get('Vary')).toContain('Origin')
      expect(headers.get('Access-Control-Expose-Headers')).toContain('X-Request-Id')
      expect(headers.has('Access-Control-Allow-Credentials')).toBe(false)
    }
  })

  it.each([
    'https://evil.example',
    'null',
    'https://shop.example.evil.example',
    'http://shop.example',
    'https://shop.example:8443',
  ])('says nothing to %s', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await api(method, '/api/v1/products', {
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      })
      expect(corsOf(headers)).toBeNull()
    }
  })

  it('answers a preflight without asking for a credential', async () => {
    const { status, headers, text } = await api('OPTIONS', '/api/v1/orders', {
      headers: {
        Origin: allowed,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type',
      },
    })
    expect([status, text]).toEqual([204, ''])
    expect(corsOf(headers)).toBe(allowed)
    expect(headers.get('Access-Control-Allow-Methods')).toContain('PATCH')
    expect(headers.get('Access-Control-Allow-Headers')).toMatch(/authorization/i)
    expect(headers.get('Access-Control-Max-Age')).toBe('600')
  })
})

describe('a path', () => {
  it.each([
    '/nowhere',
    '/api',
    '/api/v1',
    '/api/v2/products',
    '/api/v1/products/a/b',
    '/health/',
    '//health',
  ])('that leads nowhere, %s, is a 404', async (path) => {
    const { status, code } = await api('GET', path)
    expect([status, code]).toEqual([404, 'NOT_FOUND'])
  })

  it.each([
    ['PUT', '/api/v1/products', 'GET, POST, HEAD, OPTIONS'],
    ['PUT', '/api/v1/products/linen', 'GET, PATCH, DELETE, HEAD, OPTIONS'],
    ['GET', '/api/auth/login', 'POST, OPTIONS'],
    ['DELETE', '/health', 'GET, HEAD, OPTIONS'],
    ['POST', '/', 'GET, HEAD, OPTIONS'],
    ['HEAD', '/api/auth/login', 'POST, OPTIONS'],
    ['PROPFIND', '/api/v1/orders', 'GET, POST, HEAD, OPTIONS'],
  ])('that does not know %s, %s, is a 405 with Allow', async (method, path, allow) => {
    const { status, headers } = await api(method, path)
    expect(status).toBe(405)
    expect(headers.get('Allow')?.split(', ').toSorted()).toEqual(allow.split(', ').toSorted())
  })

  it.each(['/health', '/api/v1/products', '/api/v1/openapi.json'])(
    'answers HEAD as GET without a body: %s',
    async (path) => {
      const [head, get] = [await api('HEAD', path), await api('GET', path)]
      expect([head.status, head.text]).toEqual([200, ''])
      expect(head.headers.get('Content-Type')).toBe(get.headers.get('Content-Type'))
    },
  )
})

describe('the beginning', () => {
  const links = ['docs', 'openapi', 'health', 'ready', 'jwks']

  it.each([undefined, '*/*', 'application/json', 'text/plain', 'text/html;q=0.5, application/json'])(
    'is JSON for Accept %s',
    async (accept) => {
      const { status, body, headers } = await api(
        'GET',
        '/',
        accept === undefined ? {} : { headers: { Accept: accept } },
      )
      expect(status).toBe(200)
      expect(body).toMatchObject({ name: 'selvedge', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
      expect(body).toHaveProperty('links')
      expect(headers.get('Vary')).toContain('Accept')
    },
  )

  it('is a page for browsers, and its links lead somewhere', async () => {
    const { text } = await api('GET', '/', {
      headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    })
    const hrefs = [...text.matchAll(/<li><a href="([^"]+)">(\w+)</g)]
    expect(hrefs.map(([, , name]) => name)).toEqual(links)
    for (const [, href = ''] of hrefs) expect((await api('GET', href)).status).toBe(200)
  })
})

describe('what is not wrapped in data', () => {
  it('/health answers without any I/O', async () => {
    const { status, body, calls, headers } = await api('GET', '/health')
    expect(status).toBe(200)
    expect(body).toEqual({
      status: 'ok',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      uptime: expect.any(Number),
      version: expect.any(String),
    })
    expect(calls).toBe(0)
    expect(headers.get('Cache-Control')).toBe('no-store')
  })

  it('/ready asks the database once', async () => {
    const { status, body, calls } = await api('GET', '/ready')
    expect(status).toBe(200)
    expect(body).toEqual({
      status: 'ready',
      checks: { database: { status: 'up', latencyMs: expect.any(Number) } },
    })
    expect(calls).toBe(1)
  })

  it('/.well-known/jwks.json holds both live keys and no private part', async () => {
    const { status, body, headers } = await api('GET', '/.well-known/jwks.json')
    expect(status).toBe(200)
    const key = (kid: string) => ({
      kty: 'EC',
      crv: 'P-256',
      x: expect.any(String),
      y: expect.any(String),
      kid,
      alg: 'ES256',
      use: 'sig',
    })
    expect(body).toEqual({ keys: [key('test-1'), key('test-2')] })
    expect(headers.get('Cache-Control')).toContain('max-age')
  })

  it('the OpenAPI document is one of version 3.1', async () => {
    const { status, body } = await api('GET', '/api/v1/openapi.json')
    expect(status).toBe(200)
    expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'Selvedge' } })
  })
})
