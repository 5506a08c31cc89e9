/** What may be uploaded. */
export const mediaTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'application/pdf'] as const

export type MediaType = (typeof mediaTypes)[number]

/** Bytes of a file by which its type is judged, at most. */
export const headSize = 4_096

/** Signatures at byte 0 and, of WebP, behind the length of its RIFF (https://mimesniff.spec.whatwg.org, section 6). */
const signatures: readonly [MediaType, (text: string) => boolean][] = [
  ['image/jpeg', (text) => text.startsWith('\xFF\xD8\xFF')],
  ['image/png', (text) => text.startsWith('\x89PNG\r\n\x1A\n')],
  ['image/gif', (text) => /^GIF8[79]a/.test(text)],
  ['image/webp', (text) => text.startsWith('RIFF') && /^WEBPVP8[ LX]/.test(text.slice(8))],
  ['application/pdf', (text) => text.startsWith('%PDF-')],
]

/** What the bytes are; undefined when they are nothing that may be uploaded. */
export const mediaTypeOf = (head: Uint8Array): MediaType | undefined => {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, headSize))
  return signatures.find(([, fits]) => fits(text.toString('latin1')))?.[0]
}

/** Of a Content-Type; parameters say nothing here. Undefined when it names nothing that may be uploaded. */
export const declaredTypeOf = (contentType: string | undefined): MediaType | undefined => {
  const essence = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  // Not registered, but what some clients still send.
  const type = essence === 'image/jpg' ? 'image/jpeg' : essence
  return mediaTypes.find((known) => known === type)
}
