import { env } from 'cloudflare:workers'
import { newId } from '../../src/shared/ids.ts'
import type { PolicyName, Quota } from '../../src/shared/policies.ts'
import { appWith } from './edge-app.ts'

type Variant = Parameters<typeof appWith>[0]

type Limits = Partial<Record<PolicyName, Quota>>

/** The app with these limits, the others as in production. */
export const limitedApp = (limits: Limits, { env: changed, ...rest }: Variant = {}) =>
  appWith({ env: { ...changed, LIMITS: JSON.stringify(limits) }, ...rest })

/** An address that no test has used. */
export const newAddress = (): string => {
  const hex = newId().replaceAll('-', '').slice(-16)
  return `2001:${hex.slice(0, 4)}:${hex.slice(4, 8)}:${hex.slice(8, 12)}::${hex.slice(12)}`
}

export const from = (address: string, headers: Record<string, string> = {}) => ({
  headers: { 'CF-Connecting-IP': address, ...headers },
})

export const attempt = (address: string, email: string, { password = 'wrong', token = '' } = {}) => ({
  method: 'POST',
  body: JSON.stringify({ email, password }),
  headers: {
    'CF-Connecting-IP': address,
    'Content-Type': 'application/json',
    ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
  },
})

type Windows = NonNullable<Variant['windows']>

/** The real objects, and each call to them; `fails` says with what a call of a key fails. */
export const watchedWindows = ({ fails = (_: string): Error | undefined => undefined } = {}) => {
  const calls: { key: string; method: 'take' | 'giveBack'; policies: string[] }[] = []
  const windows: Windows = {
    getByName: (key) => {
      const stub = env.SLIDING_WINDOWS.getByName(key)
      return {
        async take(request) {
          calls.push({ key, method: 'take', policies: request.limits.map(({ name }) => name) })
          const error = fails(key)
          if (error !== undefined) throw error
          return await stub.take(request)
        },
        async giveBack(request) {
          calls.push({ key, method: 'giveBack', policies: request.policies })
          await stub.giveBack(request)
        },
      }
    },
  }
  return { calls, windows }
}
