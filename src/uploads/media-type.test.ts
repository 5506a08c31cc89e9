import { describe, expect, it } from 'vitest'
import { declaredTypeOf, mediaTypeOf } from './media-type.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('what bytes are', () => {
  it.each([
    ['\xFF\xD8\xFF\xE0\x00\x10JFIF', 'image/jpeg'],
    ['\xFF\xD8\xFF\xDB', 'image/jpeg'],
    ['\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR', 'image/png'],
    ['GIF87a', 'image/gif'],
    ['GIF89a\x01\x00', 'image/gif'],
    ['RIFF\x00\n\r\xFFWEBPVP8 ', 'image/webp'],
    ['RIFF\x10\x00\x00\x00WEBPVP8L', 'image/webp'],
    ['RIFF\x10\x00\x00\x00WEBPVP8X', 'image/webp'],
    ['%PDF-1.7\n', 'application/pdf'],
  ])('is told by how they begin: %j', (text, type) => {
    expect(mediaTypeOf(bytes(text))).toBe(type)
  })

  it.each([
    '',
    '\xFF',
    '\xFF\xD8',
    '\x89PNG\n\x1A\n',
    'GIF88a',
    'RIFF\x10\x00\x00\x00WAVEfmt ',
    'RIFF\x10\x00\x00\x00WEBPVP9 ',
    ' %PDF-1.7',
    '<!doctype html>%PDF-1.7',
    '%!PS-Adobe',
    'PK\x03\x04',
    '<svg xmlns="http://www.w3.org/2000/svg">',
    '\x00\x00\x00\x1CftypavifmIF1',
  ])('is nothing that may be uploaded: %j', (text) => {
    expect(mediaTypeOf(bytes(text))).toBeUndefined()
  })

  it('is told of a part of a larger buffer too', () => {
    expect(mediaTypeOf(bytes('xxGIF89a').subarray(2))).toBe('image/gif')
  })
})

describe('what a client declares', () => {
  it.each([
    ['image/png', 'image/png'],
    ['IMAGE/JPEG; q=1', 'image/jpeg'],
    ['image/jpg', 'image/jpeg'],
    [' application/pdf ', 'application/pdf'],
    ['image/svg+xml', undefined],
    ['application/octet-stream', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j', (header, type) => {
    expect(declaredTypeOf(header)).toBe(type)
  })
})
