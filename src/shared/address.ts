/** The eight groups of a canonical IPv6 address, as numbers. */
const groupsOf = (address: string): number[] => {
  const [head = '', tail] = address.split('::')
  const numbers = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const [before, after] = [numbers(head), numbers(tail ?? '')]
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}

/** The URL parser knows every spelling of an address and writes each in one way (WHATWG URL, section 3.5). */
const canonical = (text: string): string | undefined => {
  if (/^[\d.]{7,15}$/.test(text)) return URL.parse(`http://${text}`)?.hostname
  if (!/^[\da-f.:]{2,45}$/i.test(text)) return undefined
  return URL.parse(`http://[${text}]`)?.hostname.slice(1, -1)
}

/**
 * What an IP address stands for when clients are told apart: an IPv4 address itself, an IPv4 address that is written as
 * IPv6 (`::ffff:192.0.2.1`) the same, an IPv6 address its /64, which one customer holds (RFC 6177). Undefined for what
 * is no address.
 */
export const networkOf = (text: string): string | undefined => {
  const address = canonical(text)
  if (address === undefined || /^[\d.]+$/.test(address)) return address
  const groups = groupsOf(address)
  const [high = 0, low = 0] = groups.slice(6)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  }
  const prefix = groups.slice(0, 4).map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}
