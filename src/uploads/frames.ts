/** What a parser asks for: the next bytes, or to be taken past them. */
type Want = { take: number } | { skip: number }

/** Adds to the count with `count`, as it comes by a frame; ends where the file ends, or makes no sense any more. */
type Parser = Generator<Want, void, Uint8Array>

type Tally = { frames: number }

/** Bytes between two blocks of a GIF that decoders put up with. */
const maxStray = 1_024

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

const at = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0

/** The size of a colour table, by the flags that announce it. */
const tableSize = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 0x07) + 1) : 0)

function* subBlocks(): Parser {
  for (;;) {
    const length = at(yield { take: 1 }, 0)
    if (length === 0) return
    yield { skip: length }
  }
}

/** https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
function* gif(tally: Tally): Parser {
  const header = yield { take: 13 }
  yield { skip: tableSize(at(header, 10)) }
  for (let stray = 0; stray <= maxStray;) {
    const introducer = at(yield { take: 1 }, 0)
    if (introducer === 0x3b) return
    if (introducer === 0x21) {
      yield { skip: 1 }
      yield* subBlocks()
    } else if (introducer === 0x2c) {
      tally.frames += 1
      const descriptor = yield { take: 9 }
      yield { skip: tableSize(at(descriptor, 8)) + 1 }
      yield* subBlocks()
    } else stray += 1
  }
}

/** https://developers.google.com/speed/webp/docs/riff_container */
function* webp(tally: Tally): Parser {
  yield { skip: 12 }
  for (;;) {
    const chunk = yield { take: 8 }
    if (ascii(chunk.subarray(0, 4)) === 'ANMF') tally.frames += 1
    const size = new DataView(chunk.buffer, chunk.byteOffset).getUint32(4, true)
    yield { skip: size + (size % 2) }
  }
}

/** https://www.w3.org/TR/png-3/#apngFrame-based-animation: what it declares counts as well as what it has. */
function* png(tally: Tally): Parser {
  yield { skip: 8 }
  for (let found = 0; ;) {
    const chunk = yield { take: 8 }
    const type = ascii(chunk.subarray(4))
    const size = new DataView(chunk.buffer, chunk.byteOffset).getUint32(0)
    let rest = size + 4
    if (type === 'IEND') return
    if (type === 'fcTL') found += 1
    if (type === 'acTL' && size >= 4) {
      const declared = yield { take: 4 }
      rest -= 4
      tally.frames = Math.max(tally.frames, new DataView(declared.buffer, declared.byteOffset).getUint32(0))
    }
    tally.frames = Math.max(tally.frames, found)
    yield { skip: rest }
  }
}

const parsers: Partial<Record<string, (tally: Tally) => Parser>> = {
  'image/gif': gif,
  'image/webp': webp,
  'image/png': png,
}

/**
 * Counts the frames of a GIF, WebP or APNG that comes in chunks of any size, and holds a few bytes of it at most. It reads
 * the structure alone and no pixels, stops where the file says that it ends, and does not mind a broken one: that is for
 * the decoder to refuse. Images of any other kind, and those without animation, have one frame.
 */
export const createFrameCounter = (mediaType: string) => {
  const tally: Tally = { frames: 0 }
  const parser = parsers[mediaType]?.(tally)
  let want = parser?.next().value ?? undefined
  /** The beginning of what was asked for and is not there in full yet. */
  let held = new Uint8Array(0)

  const advance = (bytes: Uint8Array): void => {
    const next = parser?.next(bytes)
    want = next === undefined || next.done ? undefined : next.value
  }

  /** Answers how many bytes of the chunk were used. */
  const feed = (chunk: Uint8Array): number => {
    if (want === undefined) return chunk.length
    if ('skip' in want) {
      const skipped = Math.min(want.skip, chunk.length)
      want = { skip: want.skip - skipped }
      if (want.skip === 0) advance(held)
      return skipped
    }
    const used = Math.min(want.take - held.length, chunk.length)
    const bytes = new Uint8Array(held.length + used)
    bytes.set(held)
    bytes.set(chunk.subarray(0, used), held.length)
    held = bytes
    if (held.length === want.take) {
      held = new Uint8Array(0)
      advance(bytes)
    }
    return used
  }

  return {
    push(chunk: Uint8Array): void {
      for (let from = 0; from < chunk.length;) from += feed(chunk.subarray(from))
    },

    /** Of what has been pushed so far. */
    frames: (): number => Math.max(1, tally.frames),
  }
}
