import { cleanFileName } from '../shared/file-name.ts'

/** What every client reads alike in quotes: neither a quote, nor `\` nor `%`, which some decode. */
const ascii = (name: string): string =>
  cleanFileName(
    name
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/[^\w .()+,@=-]/gu, '_'),
  )

/** RFC 8187, section 3.2.1: `attr-char` allows less than a component of a URL. */
const encoded = (name: string): string =>
  encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/**
 * The header Content-Disposition (RFC 6266) for whatever name: what could harm the header or whoever saves the file is
 * gone. A name beyond plain ASCII is sent in both forms, and clients prefer the second.
 */
export const contentDisposition = (kind: 'attachment' | 'inline', name: string): string => {
  const clean = cleanFileName(name)
  const plain = ascii(clean)
  const header = `${kind}; filename="${plain}"`
  return plain === clean ? header : `${header}; filename*=UTF-8''${encoded(clean)}`
}
