import { expect, it } from 'vitest'
import { stackUrls, summary } from './summary.ts'

it('the table names addresses and logins, and no password of a real server', () => {
  const info = {
    pid: 1,
    runtimePids: [],
    urls: { ...stackUrls(9000, 'http://127.0.0.1:9001/inbox'), redis: 'http://127.0.0.1:9001' },
    redisToken: 'hush',
    databaseUrl: 'postgres://me:hush@db.example.com/shop',
    logins: [{ role: 'admin', email: 'admin@selvedge.test', password: 'Selvedge-Dev-1!' }],
  }
  const kinds = { database: 'postgres', redis: 'embedded' } as const
  const text = summary({ info, folder: '.local', kinds, scanner: 'off', startedMs: 4_200 })
  expect(text).toContain('Selvedge is ready after 4.2 s')
  expect(text).toMatch(/API +http:\/\/127\.0\.0\.1:9000\n/)
  expect(text).toMatch(/Docs +http:\/\/127\.0\.0\.1:9000\/api\/docs\n/)
  expect(text).toMatch(/Redis +embedded, http:\/\/127\.0\.0\.1:9001\n/)
  expect(text).toMatch(/Scanner +off\n/)
  expect(text).toMatch(/Mail inbox +http:\/\/127\.0\.0\.1:9001\/inbox\n/)
  expect(text).toMatch(/Login +admin@selvedge\.test +Selvedge-Dev-1! +\(admin\)/)
  expect(text).toContain('postgres://me:***@db.example.com/shop')
  expect(text).not.toContain('hush')
})
