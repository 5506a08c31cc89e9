import { createHash } from 'node:crypto'
import { describeError } from '../shared/describe-error.ts'

type Log = (message: string, fields: Record<string, unknown>) => void

type Settings = {
  /** Where ranges are asked for, with a slash at its end; undefined: nowhere. */
  url: string | undefined
  log: { warn: Log }
  timeoutMs?: number
}

/**
 * Whether a password is known from data breaches, by k-anonymity: five of the forty digits of its SHA-1 leave the house,
 * and the answer, padded, holds hundreds of others (https://haveibeenpwned.com/API/v3#PwnedPasswords).
 */
export const createBreaches = ({ url, log, timeoutMs = 1_000 }: Settings) => ({
  /** No answer in time, or none that can be read, is no: nobody is kept from a new password by somebody else's outage. */
  async isBreached(password: string): Promise<boolean> {
    if (url === undefined) return false
    const digest = createHash('sha1').update(password.normalize('NFKC')).digest('hex').toUpperCase()
    const [prefix, suffix] = [digest.slice(0, 5), digest.slice(5)]
    try {
      const response = await fetch(`${url}${prefix}`, {
        headers: { 'Add-Padding': 'true', 'User-Agent': 'selvedge' },
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (!response.ok) throw new Error(`It answered ${response.status}`)
      const lines = (await response.text()).split(/\r?\n/)
      // What pads the answer has a count of 0.
      return lines.some((line) => line.startsWith(`${suffix}:`) && !line.endsWith(':0'))
    } catch (error) {
      log.warn('breached passwords could not be asked for', { error: describeError(error) })
      return false
    }
  },
})
