import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { env } from 'cloudflare:workers'

type Colour = readonly [red: number, green: number, blue: number]

export const bytesOf = (...parts: (string | readonly number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
    ),
  )

export const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes)
      controller.close()
    },
  })

export const allOf = async (stream: ReadableStream): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await new Response(stream).arrayBuffer())

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export const pngChunk = (type: string, body: Uint8Array): Uint8Array => {
  const named = bytesOf(type, body)
  return bytesOf(uint32(body.length), named, uint32(crc32(named)))
}

const pngHead = bytesOf([0x89], 'PNG\r\n\x1a\n')

const ihdr = (width: number, height: number): Uint8Array =>
  pngChunk('IHDR', bytesOf(uint32(width), uint32(height), [8, 2, 0, 0, 0]))

/** Every pixel as `colourOf` has it. */
export const png = (
  width: number,
  height: number,
  colourOf: (x: number, y: number) => Colour = () => [30, 90, 160],
): Uint8Array<ArrayBuffer> => {
  const rows = new Uint8Array(height * (1 + width * 3))
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set(colourOf(x, y), y * (1 + width * 3) + 1 + x * 3)
  }
  return bytesOf(
    pngHead,
    ihdr(width, height),
    pngChunk('IDAT', deflateSync(rows)),
    pngChunk('IEND', new Uint8Array()),
  )
}

/** Red, green and blue of the upper left corner: whatever the filter of the first row, it is plain there. */
export const firstPixel = (image: Uint8Array): number[] => {
  const view = new DataView(image.buffer, image.byteOffset)
  const data: Uint8Array[] = []
  for (let at = 8; at < image.length;) {
    const size = view.getUint32(at)
    const type = Buffer.from(image.subarray(at + 4, at + 8)).toString('latin1')
    if (type === 'IDAT') data.push(image.subarray(at + 8, at + 8 + size))
    at += 12 + size
  }
  return [...inflateSync(Buffer.concat(data)).subarray(1, 4)]
}

/** Says that it is larger than it is. */
export const forgedPng = (width: number, height: number): Uint8Array<ArrayBuffer> => {
  const small = png(8, 8)
  return bytesOf(pngHead, ihdr(width, height), small.subarray(8 + 25))
}

/** Truly of that size, and hardly a byte: black, a bit a pixel. */
export const bombPng = (width: number, height: number): Uint8Array<ArrayBuffer> =>
  bytesOf(
    pngHead,
    pngChunk('IHDR', bytesOf(uint32(width), uint32(height), [1, 0, 0, 0, 0])),
    pngChunk('IDAT', deflateSync(new Uint8Array(height * (1 + Math.ceil(width / 8))))),
    pngChunk('IEND', new Uint8Array()),
  )

/** One pixel a frame, in one of two colours. */
export const gif = (frames: number, width = 1, height = 1): Uint8Array<ArrayBuffer> => {
  const size = [width & 0xff, width >> 8, height & 0xff, height >> 8]
  const frame = bytesOf([0x21, 0xf9, 4, 0, 1, 0, 0, 0], [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0], [2, 2, 0x44, 1, 0])
  return bytesOf(
    'GIF89a',
    [...size, 0x80, 0, 0, 0, 0, 0, 255, 255, 255],
    ...Array.from({ length: frames }, () => frame),
    [0x3b],
  )
}

/** The same image in another format, as the simulator of the Images binding encodes it. */
export const encoded = async (
  image: Uint8Array,
  format: 'image/jpeg' | 'image/webp' | 'image/png',
): Promise<Uint8Array<ArrayBuffer>> => {
  const result = await env.IMAGES.input(streamOf(image)).output({ format })
  return await allOf(result.image())
}

/** EXIF with an orientation, a maker and a place: TIFF, big-endian. */
const exif = (orientation: number): Uint8Array => {
  const entry = (tag: number, type: number, count: number, value: readonly number[]) =>
    bytesOf([tag >> 8, tag & 0xff, 0, type], uint32(count), value)
  const gps = bytesOf([0, 1], entry(1, 2, 2, [0x4e, 0, 0, 0]), [0, 0, 0, 0])
  const first = bytesOf(
    [0, 3],
    entry(0x010f, 2, 12, [0, 0, 0, 50]),
    entry(0x0112, 3, 1, [0, orientation, 0, 0]),
    entry(0x8825, 4, 1, [0, 0, 0, 62]),
    [0, 0, 0, 0],
  )
  return bytesOf('Exif\0\0', 'MM\0*', [0, 0, 0, 8], first, 'SecretMaker\0', gps)
}

/** A JPEG as a camera writes it that was held sideways. */
export const photographed = async (
  image: Uint8Array,
  orientation: number,
): Promise<Uint8Array<ArrayBuffer>> => {
  const jpeg = await encoded(image, 'image/jpeg')
  const segment = exif(orientation)
  const length = segment.length + 2
  return bytesOf(jpeg.subarray(0, 2), [0xff, 0xe1, length >> 8, length & 0xff], segment, jpeg.subarray(2))
}

export const pdf = (content = 'BT (Selvedge) Tj ET'): Uint8Array<ArrayBuffer> =>
  bytesOf(`%PDF-1.7\n1 0 obj << /Length ${content.length} >> stream\n${content}\nendstream endobj\n%%EOF\n`)
