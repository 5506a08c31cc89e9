import { Buffer } from 'node:buffer'
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'

/** OWASP's scrypt: N = 2^14, r = 8, p = 5; 16 MiB and about 120 ms of CPU. N * r * p may be 2^20 at most on Workers. */
const current = { ln: 14, r: 8, p: 5 }
const saltBytes = 16
const hashBytes = 32

type Parameters = typeof current

const derive = (password: string, salt: Buffer, { ln, r, p }: Parameters, length: number): Buffer =>
  scryptSync(password.normalize('NFKC'), salt, length, { N: 2 ** ln, r, p, maxmem: 2 ** 26 })

const encode = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

/** PHC string format: `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, base64 without padding. */
const phc = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{8,})\$([A-Za-z0-9+/]{16,})$/

const parse = (stored: string) => {
  const [, ln, r, p, salt, hash] = phc.exec(stored) ?? []
  if (salt === undefined || hash === undefined) return undefined
  return {
    parameters: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
}

export const hashPassword = (password: string): string => {
  const salt = randomBytes(saltBytes)
  const hash = derive(password, salt, current, hashBytes)
  return `$scrypt$ln=${current.ln},r=${current.r},p=${current.p}$${encode(salt)}$${encode(hash)}`
}

/** A hash of no password: verifying against it costs what a real one costs. */
const decoy = {
  parameters: current,
  salt: Buffer.alloc(saltBytes, 0x5e),
  hash: Buffer.alloc(hashBytes),
}

/** Without a stored hash (no such account) the same work is done and the answer is no. */
export const verifyPassword = (password: string, stored: string | undefined): boolean => {
  const known = stored === undefined ? undefined : parse(stored)
  const { parameters, salt, hash } = known ?? decoy
  const matches = timingSafeEqual(derive(password, salt, parameters, hash.length), hash)
  return matches && known !== undefined
}

/** True when the stored hash was made with other parameters than today's. */
export const needsRehash = (stored: string): boolean => {
  const { parameters, hash } = parse(stored) ?? decoy
  return (
    parameters.ln !== current.ln ||
    parameters.r !== current.r ||
    parameters.p !== current.p ||
    hash.length !== hashBytes
  )
}
