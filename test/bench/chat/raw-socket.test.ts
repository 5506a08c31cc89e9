import { expect, it } from 'vitest'
import { createReader, frameOf } from './raw-socket.ts'

/** As a server sends it: without a mask. */
const served = (payload: string, opcode = 1): Buffer => {
  const body = Buffer.from(payload)
  const head = Buffer.alloc(body.length < 126 ? 2 : body.length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = body.length < 126 ? body.length : body.length < 65_536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(body.length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(body.length), 2)
  return Buffer.concat([head, body])
}

const short = ['', 'a', 'x'.repeat(125), 'y'.repeat(126), 'ü and the last']
const all = [...short, 'z'.repeat(70_000), 'after it']

it('reads every text, wherever the network cuts the stream', () => {
  const cuts = [
    ...[1, 2, 3, 7, 127].map((size) => ({ texts: short, size })),
    ...[1_000, 4_096, 100_000].map((size) => ({ texts: all, size })),
  ]
  for (const { texts, size } of cuts) {
    const stream = Buffer.concat(texts.map((text) => served(text)))
    const heard: string[] = []
    const read = createReader(
      (bytes, from, to) => heard.push(bytes.toString('utf8', from, to)),
      () => undefined,
    )
    // The buffer of a read is used again for the next one.
    const shared = Buffer.alloc(size)
    for (let at = 0; at < stream.length; at += size) {
      read(shared.subarray(0, stream.copy(shared, 0, at, at + size)))
    }
    expect(heard).toEqual(texts)
  }
})

it('tells why the other side has closed', () => {
  const codes: number[] = []
  const read = createReader(
    () => undefined,
    (code) => codes.push(code),
  )
  read(served('\u0003\u0003', 8))
  read(served('', 8))
  expect(codes).toEqual([0x0303, 1005])
})

it('masks what it sends, with zeros', () => {
  for (const text of ['ping', 'x'.repeat(300)]) {
    const frame = frameOf(text)
    const head = text.length < 126 ? 2 : 4
    expect((frame[1] ?? 0) & 0x80).toBe(0x80)
    expect(frame.readUInt32BE(head)).toBe(0)
    expect(frame.toString('utf8', head + 4)).toBe(text)
  }
})
