// `npm run keys:rotate -- FILE`: FILE holds JWT_KEYS, is made when it does not exist, and is replaced by the rotated keys.
import { existsSync, readFileSync } from 'node:fs'
import { Environment } from '../src/config.ts'
import { rotateKeys } from './key-rotation.ts'
import { writeAtomically } from './state.ts'

const [file] = process.argv.slice(2)

try {
  if (file === undefined) throw new Error('Name the file that holds JWT_KEYS: npm run keys:rotate -- FILE')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  const keys = text === undefined ? [] : Environment.shape.JWT_KEYS.safeParse(text).data
  if (keys === undefined) throw new Error(`${file} does not hold JWT_KEYS`)
  const rotated = rotateKeys(keys, Date.now())
  writeAtomically(file, rotated)
  for (const { kid, signsFrom = 'now', retiresAt = 'never' } of rotated)
    console.log(`${kid}  signs from ${signsFrom}, retires ${retiresAt}`)
  console.log(`Next: npx wrangler secret put JWT_KEYS < ${file}`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
