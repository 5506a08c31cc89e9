// https://www.postgresql.org/docs/current/protocol-message-formats.html
const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const LENGTH_LIMIT = 0x3fffffff

/** `unit` is what must reach PostgreSQL in one piece: messages up to one that asks for an answer. */
export type Frame =
  | { kind: 'encryption' | 'startup' | 'cancel' | 'terminate' | 'broken' }
  | { kind: 'unit'; bytes: Buffer; complete: boolean }

// After a Flush the client goes on within the same cycle; after Query, Sync and FunctionCall it is over.
const COMPLETES = new Set(['Q', 'S', 'F'])
const COPY_MESSAGES = new Set(['d', 'c', 'f'])
const COPY_IN = /(?:^|;)(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*copy\b[^;]*\bfrom\s+stdin\b/i
const COPY_SEARCHED = 65_536

/** Raises inside PostgreSQL, so that the error has the effect on a transaction that it should have. */
const REFUSAL = `do $$ begin raise exception using errcode = '0A000',
  message = 'COPY FROM STDIN is not supported by the embedded database', hint = 'Set DATABASE_URL.'; end $$`

const cstring = (text: string) => Buffer.from(`${text}\0`)

export const message = (type: string, body: Buffer = Buffer.alloc(0)) => {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

export const queryMessage = (sql: string) => message('Q', cstring(sql))

export const startupMessage = (user: string, database: string) => {
  const body = Buffer.from(`user\0${user}\0database\0${database}\0\0`)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8, 0)
  head.writeUInt32BE(3 << 16, 4)
  return Buffer.concat([head, body])
}

// The embedded server reads to the end of what it is given, and an unfinished COPY ends the whole server.
const withoutCopyIn = (type: string, bytes: Buffer) => {
  if (type !== 'Q' && type !== 'P') return bytes
  const textAt = type === 'Q' ? 5 : bytes.indexOf(0, 5) + 1
  if (!COPY_IN.test(bytes.toString('latin1', textAt, textAt + COPY_SEARCHED))) return bytes
  if (type === 'Q') return queryMessage(REFUSAL)
  return message('P', Buffer.concat([bytes.subarray(5, textAt), cstring(REFUSAL), Buffer.alloc(2)]))
}

const startupKind = (code: number): Frame => {
  if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'encryption' }
  if (code >> 16 === 3) return { kind: 'startup' }
  return { kind: code >> 16 === 1234 ? 'cancel' : 'broken' }
}

/** Cuts a client's bytes into frames. */
export const createFrames = () => {
  let chunks: Buffer[] = []
  let size = 0
  let needed = 0
  let parts: Buffer[] = []
  let started = false

  const take = () => {
    if (size < needed) return undefined
    const [first, ...rest] = chunks
    const all = first && rest.length === 0 ? first : Buffer.concat(chunks)
    const offset = started ? 1 : 0
    needed = all.length < offset + 4 ? offset + 4 : all.readUInt32BE(offset) + offset
    chunks = [all]
    if (all.length < needed) return undefined
    const bytes = all.subarray(0, needed)
    chunks = [all.subarray(needed)]
    size -= needed
    needed = 0
    return bytes
  }

  const start = (bytes: Buffer): Frame => {
    const frame: Frame = bytes.length < 8 ? { kind: 'broken' } : startupKind(bytes.readUInt32BE(4))
    started = frame.kind === 'startup'
    return frame
  }

  const toFrame = (bytes: Buffer): Frame | undefined => {
    if (bytes.length < (started ? 5 : 4)) return { kind: 'broken' }
    if (!started) return start(bytes)
    const type = String.fromCharCode(bytes[0] ?? 0)
    if (type === 'X') return { kind: 'terminate' }
    if (COPY_MESSAGES.has(type)) return undefined
    parts.push(withoutCopyIn(type, bytes))
    const complete = COMPLETES.has(type)
    if (!complete && type !== 'H') return undefined
    const unit = Buffer.concat(parts)
    parts = []
    return { kind: 'unit', bytes: unit, complete }
  }

  return {
    push: (chunk: Buffer): Frame[] => {
      chunks.push(chunk)
      size += chunk.length
      const frames: Frame[] = []
      for (let bytes = take(); bytes; bytes = take()) {
        const frame = toFrame(bytes)
        if (frame) frames.push(frame)
        if (frame?.kind === 'broken') break
      }
      if (needed > LENGTH_LIMIT) frames.push({ kind: 'broken' })
      return frames
    },
  }
}
