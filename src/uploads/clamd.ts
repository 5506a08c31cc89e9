/** What a scanner found. `signature`: the name of what it knows the content by. */
export type Verdict = { status: 'clean' } | { status: 'infected'; signature: string }

/** Bytes of a chunk on the wire, at most. */
export const chunkSize = 64 * 1024

const utf8 = new TextEncoder()

/** `z`: command and answer end with U+0000 (clamd(8)). */
export const instream = utf8.encode('zINSTREAM\0')

export const ping = utf8.encode('zPING\0')
export const pong = 'PONG'

export const endOfStream = new Uint8Array(4)

/** Pieces of at most `chunkSize` bytes, each behind its length in network byte order. */
export function* framesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += chunkSize) {
    const piece = bytes.subarray(from, from + chunkSize)
    const frame = new Uint8Array(4 + piece.length)
    new DataView(frame.buffer).setUint32(0, piece.length)
    frame.set(piece, 4)
    yield frame
  }
}

const maxSignature = 200

/**
 * What `AlertExceedsMax` reports under a name of this kind was not scanned to its end: it is no virus that was found, and
 * nothing that was found clean.
 */
const isLimit = (signature: string): boolean => signature.startsWith('Heuristics.Limits.Exceeded')

/** The verdict of an answer. @throws whatever is neither clearly clean nor clearly infected */
export const verdictOf = (answer: string): Verdict => {
  if (answer === 'stream: OK') return { status: 'clean' }
  const signature = /^stream: (\S.*) FOUND$/.exec(answer)?.[1]
  if (signature !== undefined && !isLimit(signature)) {
    return { status: 'infected', signature: signature.slice(0, maxSignature) }
  }
  if (signature !== undefined || /size limit exceeded/i.test(answer)) {
    throw new Error(`The file is beyond a limit of the scanner: ${answer.slice(0, maxSignature)}`)
  }
  throw new Error(`The scanner gave no verdict: ${answer.slice(0, maxSignature)}`)
}
