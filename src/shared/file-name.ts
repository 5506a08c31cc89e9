/** Bytes of UTF-8. File systems take 255; the rest is for the ` (1)` and `.crdownload` of whoever saves it. */
const maxBytes = 200

/**
 * What is not seen, or makes a name look like another one: controls, line ends, half surrogate pairs, marks that turn
 * the direction of text, and tags. The joiners that Persian and emoji need stay.
 */
const unseen =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** Devices of Windows, whatever extension they have. */
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³])\s*(?=\.|$)/i

const utf8 = new TextEncoder()

const bytesOf = (text: string): number => utf8.encode(text).length

/** The longest beginning of whole code points that has at most so many bytes. */
const beginning = (text: string, bytes: number): string => {
  const buffer = new Uint8Array(bytes)
  return text.slice(0, utf8.encodeInto(text, buffer).read)
}

/** No file system, shell or dialogue gives a meaning of its own to how it begins and ends. */
const trimmed = (text: string): string => text.replace(/^[\s.\u200c\u200d]+|[\s.\u200c\u200d]+$/g, '')

const extension = /\.[a-z\d]{1,10}$/i

const shortened = (name: string): string => {
  if (bytesOf(name) <= maxBytes) return name
  const [end = ''] = extension.exec(name) ?? []
  return `${trimmed(beginning(name.slice(0, name.length - end.length), maxBytes - end.length))}${end}`
}

/**
 * A name under which any text can be saved anywhere: one segment of a path, without what is unseen or reserved, and
 * never empty. What is a good name already stays as it is.
 */
export const cleanFileName = (text: string): string => {
  const [segment = ''] = text
    .normalize('NFC')
    .replace(unseen, '')
    .split(/[/\\]+/)
    .flatMap((part) => trimmed(part) || [])
    .slice(-1)
  const name = trimmed(segment.replaceAll(/\s+/g, ' ').replaceAll(/[<>:"|?*]/g, '_'))
  // An option to a command that is given `*`; a device.
  return shortened(name.replace(/^-/, '_').replace(device, '_$&')) || 'file'
}

/** Of what is taken in: any other ending is part of the name. */
const known = /\.(?:jpe?g|jpe|jfif|png|apng|webp|gif|pdf)$/i

/** The name as one of a file of this extension, with something at its end that tells it from its like. */
export const renamed = (name: string, to: string, end = ''): string => {
  const rest = `${end}.${to}`
  const base = beginning(cleanFileName(name).replace(known, ''), maxBytes - bytesOf(rest))
  return cleanFileName(`${trimmed(base) || 'file'}${rest}`)
}
