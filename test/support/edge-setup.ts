import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../dev/database.ts'
import { migrate } from '../../dev/migrate.ts'
import { hashPassword } from '../../src/auth/password.ts'
import { makeTokenSecret, makeWebhookSecret } from '../../dev/secrets.ts'
import { password } from './edge-provided.ts'
import { startClamds } from './clamd.ts'
import { startResend } from './resend.ts'

const signingKey = (kid: string) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid }
}

/** In Node: the embedded database with the migrations applied, and what the Worker needs to reach it. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  // The fonts of reports.
  execFileSync(process.execPath, ['dev/assets.mjs'])
  const dataDir = await mkdtemp(join(tmpdir(), 'selvedge-edge-'))
  const database = await openDatabase({ dataDir })
  await migrate(database.url)
  const resend = await startResend()
  const { clamds, stop: stopClamds } = await startClamds()
  provide('databaseUrl', database.url)
  provide('fetchEndpoint', database.fetchEndpoint)
  provide('jwtKeys', JSON.stringify([signingKey('test-1'), signingKey('test-2')]))
  provide('tokenSecret', makeTokenSecret())
  provide('resendUrl', resend.url)
  provide('webhookSecret', makeWebhookSecret())
  provide('clamds', clamds)
  provide('isFullProof', process.env['SELVEDGE_PROOF'] === 'full')
  provide('mustScan', process.env['CI'] === 'true')
  provide('passwordHash', hashPassword(password))
  return async () => {
    await database.close()
    await resend.close()
    await stopClamds()
    await rm(dataDir, { recursive: true })
  }
}
