/** Bytes that tell what a WebP is. */
export const webpHeadSize = 30

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to))

/**
 * Width and height of a WebP without metadata (https://developers.google.com/speed/webp/docs/riff_container), by its first
 * 30 bytes; undefined for everything else: whatever is to be shown to others has to be exactly that.
 */
export const plainWebpSize = (head: Uint8Array): { width: number; height: number } | undefined => {
  if (head.length < webpHeadSize || ascii(head, 0, 4) !== 'RIFF' || ascii(head, 8, 12) !== 'WEBP')
    return undefined
  const view = new DataView(head.buffer, head.byteOffset)
  const uint24 = (at: number): number => view.getUint16(at, true) + view.getUint8(at + 2) * 0x10000
  switch (ascii(head, 12, 16)) {
    case 'VP8 ':
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
    case 'VP8L': {
      const bits = view.getUint32(21, true)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X': {
      // EXIF or XMP.
      if ((view.getUint8(20) & 0x0c) !== 0) return undefined
      return { width: uint24(24) + 1, height: uint24(27) + 1 }
    }
    default:
      return undefined
  }
}
