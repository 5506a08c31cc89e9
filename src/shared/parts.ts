/**
 * Cuts a stream into parts of exactly `size` bytes, the last one excepted, as R2's multipart uploads demand. Holds one
 * part at a time; an empty stream has one empty part.
 */
export async function* inParts(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part = new Uint8Array(size)
  let filled = 0
  for await (const chunk of source) {
    for (let from = 0; from < chunk.length;) {
      // Only when more is to come: the last part is the one that may be short.
      if (filled === size) {
        yield part
        part = new Uint8Array(size)
        filled = 0
      }
      const taken = Math.min(size - filled, chunk.length - from)
      part.set(chunk.subarray(from, from + taken), filled)
      filled += taken
      from += taken
    }
  }
  yield part.subarray(0, filled)
}
