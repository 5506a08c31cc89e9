import { describe, inject, it } from 'vitest'
import type { Clamds } from './clamd.ts'

type Running = Exclude<Clamds, { unavailable: string }>

/** The test file of https://www.eicar.org, in two halves for the sake of scanners on this machine. */
export const eicar = new TextEncoder().encode(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD', '-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
)

export const eicarSignature = 'Selvedge.Test.EICAR.UNOFFICIAL'

/** Tests on real scanners: skipped by name where there is none, which with CI=true is a failure. */
export const describeWithClamd = (title: string, cases: (clamds: Running) => void): void => {
  const clamds = inject('clamds')
  if (!('unavailable' in clamds)) return void describe(title, () => cases(clamds))
  if (!inject('mustScan')) return it.skip(`${title} (skipped: ${clamds.unavailable})`)
  it(title, () => {
    throw new Error(`CI=true allows no skipped test: ${clamds.unavailable}`)
  })
}

/** Content of these pieces, one after the other, as R2 would stream it. */
export const contentOf = (
  pieces: Uint8Array[],
  before: (piece: number) => Promise<void> = async () => {},
) => {
  let n = 0
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = pieces[n]
        if (piece === undefined) return controller.close()
        await before(n)
        n += 1
        controller.enqueue(piece)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, size: pieces.reduce((sum, piece) => sum + piece.length, 0), pulled: () => n }
}
