import { rgb, type Color } from '@cantoo/pdf-lib'

const hex = (value: number): Color =>
  rgb((value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255)

export const colours = {
  ink: hex(0x1a2138),
  muted: hex(0x667089),
  faint: hex(0x98a1b5),
  line: hex(0xe3e6ee),
  ground: hex(0xf5f6fa),
  indigo: hex(0x2f3f8f),
  indigoSoft: hex(0xe6e9f6),
  red: hex(0xc23b4b),
  white: hex(0xffffff),
}

/** Points; A4. */
export const paper = { width: 595.28, height: 841.89, margin: 48, bottom: 64 }

export const content = { left: paper.margin, width: paper.width - 2 * paper.margin }
