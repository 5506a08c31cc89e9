import { describe, expect, it } from 'vitest'
import { networkOf } from './address.ts'

describe('networkOf', () => {
  it.each([
    '192.0.2.1',
    '192.000.002.001',
    '3221225985',
    '::ffff:192.0.2.1',
    '::FFFF:c000:201',
    '0:0:0:0:0:ffff:192.0.2.1',
    '0000:0000:0000:0000:0000:ffff:c000:0201',
  ])('%s is one IPv4 address, however it is spelled', (text) => expect(networkOf(text)).toBe('192.0.2.1'))

  it.each([
    '2001:db8:1:2::1',
    '2001:DB8:1:2:ffff:ffff:ffff:ffff',
    '2001:0db8:0001:0002:0:0:0:9',
    '2001:db8:1:2::192.0.2.1',
  ])('%s belongs to one /64', (text) => expect(networkOf(text)).toBe('2001:db8:1:2::/64'))

  it.each([
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['192.0.2.2', '192.0.2.2'],
  ])('%s is of %s', (text, network) => expect(networkOf(text)).toBe(network))

  it.each([
    '',
    ' ',
    'unknown',
    '192.0.2.1, 198.51.100.1',
    '192.0.2.256',
    'fe80::1%eth0',
    '::1]/x',
    '1::2::3',
    'example.org',
    'deadbeef',
    'a.b',
    'x'.repeat(100),
  ])('%j is no address', (text) => expect(networkOf(text)).toBeUndefined())
})
