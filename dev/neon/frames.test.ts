import { describe, expect, it } from 'vitest'
import { createFrames, message, queryMessage, startupMessage, type Frame } from './frames.ts'

const cstring = (text: string) => Buffer.from(`${text}\0`)
const parse = (text: string) => message('P', Buffer.concat([cstring('name'), cstring(text), Buffer.alloc(2)]))
const bind = message('B', Buffer.concat([cstring(''), cstring('name'), Buffer.alloc(6)]))
const sync = message('S')
const flush = message('H')
const request = (code: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(8, 0)
  bytes.writeUInt32BE(code, 4)
  return bytes
}

const started = () => {
  const frames = createFrames()
  frames.push(startupMessage('user', 'database'))
  return frames
}
const textOf = (frame: Frame | undefined) =>
  frame?.kind === 'unit' ? frame.bytes.toString('latin1') : undefined

describe('the frames of a client', () => {
  it('begins with encryption requests and one startup', () => {
    const bytes = Buffer.concat([request(80877104), request(80877103), startupMessage('user', 'database')])
    expect(createFrames().push(bytes)).toEqual([
      { kind: 'encryption' },
      { kind: 'encryption' },
      { kind: 'startup' },
    ])
  })

  it.each([
    ['a cancel request', request(80877102), 'cancel'],
    ['protocol 2', request(2 << 16), 'broken'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'broken'],
    ['a length too small', Buffer.from([0, 0, 0, 1]), 'broken'],
  ])('knows %s', (_name, bytes, kind) => {
    expect(createFrames().push(bytes)).toEqual([{ kind }])
  })

  it('joins the messages of one cycle, however the bytes are cut', () => {
    const cycle = Buffer.concat([parse('select 1'), bind, sync])
    const bytes = Buffer.concat([
      cycle,
      queryMessage('select 2'),
      parse('x'),
      flush,
      bind,
      sync,
      message('X'),
    ])
    const expected = [
      { kind: 'unit', bytes: cycle, complete: true },
      { kind: 'unit', bytes: queryMessage('select 2'), complete: true },
      { kind: 'unit', bytes: Buffer.concat([parse('x'), flush]), complete: false },
      { kind: 'unit', bytes: Buffer.concat([bind, sync]), complete: true },
      { kind: 'terminate' },
    ]
    expect(started().push(bytes)).toEqual(expected)
    const byteWise = started()
    expect([...bytes].flatMap((byte) => byteWise.push(Buffer.from([byte])))).toEqual(expected)
  })

  it('drops what belongs to a COPY', () => {
    expect(
      started().push(Buffer.concat([message('d', Buffer.from('1\n')), message('c'), message('f')])),
    ).toEqual([])
  })

  it.each([
    'copy item from stdin',
    'COPY item (a, b)\nFROM  STDIN with (format csv)',
    'begin; copy item from stdin;',
    '-- a comment\n/* another */ copy item from stdin',
  ])('refuses to pass on: %s', (text) => {
    expect(textOf(started().push(queryMessage(text))[0])).toContain('COPY FROM STDIN is not supported')
    const extended = textOf(started().push(Buffer.concat([parse(text), sync]))[0])
    expect(extended).toContain('name\0do $$')
    expect(extended).not.toContain(text)
  })

  it.each(['copy item to stdout', `insert into item values ('how to copy from stdin')`, 'select 1'])(
    'passes on: %s',
    (text) => expect(textOf(started().push(queryMessage(text))[0])).toContain(text),
  )

  it('gives up on a message longer than PostgreSQL takes', () => {
    expect(started().push(Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]))).toEqual([{ kind: 'broken' }])
  })
})
