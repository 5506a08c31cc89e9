import { ServerFrame } from './protocol.ts'

/**
 * Milliseconds between two comments that keep the stream from being taken for dead. It may be the first of them that finds
 * out that nobody reads any more, and until then its user is online.
 */
const keepAlive = 10_000

/** Bytes that may wait for a reader; one that is further behind comes back and is sent what it lacks. */
const maxWaiting = 262_144

type Position = { epoch: string; seq: number }

/** A place in no inbox: whoever asks for it begins anew. */
const nowhere: Position = { epoch: 'nowhere', seq: 1 }

/** `<epoch>.<seq>`, as `id` of the events; undefined where nothing is asked for. What is none of ours is gone, never ignored. */
export const positionOf = (lastEventId: string | undefined): Position | undefined => {
  if (lastEventId === undefined || lastEventId === '') return undefined
  const [, epoch, seq] = /^([\w-]{1,64})\.(\d{1,15})$/.exec(lastEventId) ?? []
  return epoch === undefined ? nowhere : { epoch, seq: Number(seq) }
}

type Sent = { event: string; data: unknown; id?: string }

const textOf = ({ event, data, id }: Sent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** The events of one frame of the inbox, as Server-Sent Events; `epoch` is that of the stream. */
const eventsOf = (frame: ServerFrame, epoch: string): Sent[] => {
  switch (frame.type) {
    case 'ready':
    case 'resync': {
      const id = `${frame.epoch}.${frame.head}`
      return [
        { event: frame.type, data: { head: frame.head }, id },
        ...frame.unread.map((one) => ({ event: 'unread', data: one })),
      ]
    }
    case 'notification': {
      const { type: _, ...notification } = frame
      return [{ event: frame.subject.kind, data: notification, id: `${epoch}.${frame.seq}` }]
    }
    case 'unread': {
      const { type: _, ...unread } = frame
      return [{ event: 'unread', data: unread }]
    }
    case 'error':
      return []
  }
}

/** A socket of the inbox, as far as it is used here. */
export type InboxSocket = {
  accept: () => void
  send: (text: string) => void
  close: (code: number, reason: string) => void
  addEventListener: {
    (type: 'message', listener: (event: { data?: unknown }) => void): void
    (type: 'close' | 'error', listener: () => void): void
  }
}

/**
 * The inbox over HTTP (WHATWG HTML, server-sent events): the Worker holds the stream and listens to the inbox over a
 * socket, so that the inbox itself may sleep. Without a position only what is new from now on.
 */
export const eventStream = (
  socket: InboxSocket,
  position: Position | undefined,
): ReadableStream<Uint8Array> => {
  const utf8 = new TextEncoder()
  let epoch = ''
  let timer: ReturnType<typeof setInterval> | undefined
  let isOver = false

  const end = () => {
    isOver = true
    clearInterval(timer)
    try {
      socket.close(1000, 'done')
    } catch {
      // It is closed already.
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const finish = () => {
          if (isOver) return
          end()
          controller.close()
        }
        const write = (text: string) => {
          if (isOver) return
          if ((controller.desiredSize ?? 0) < 0) return finish()
          controller.enqueue(utf8.encode(text))
        }
        socket.addEventListener('message', ({ data }) => {
          if (data === 'pong' || typeof data !== 'string') return
          const frame = ServerFrame.parse(JSON.parse(data))
          if (frame.type === 'ready' || frame.type === 'resync') epoch = frame.epoch
          for (const event of eventsOf(frame, epoch)) write(textOf(event))
        })
        socket.addEventListener('close', finish)
        socket.addEventListener('error', finish)
        socket.accept()
        write('retry: 3000\n\n')
        const resume = position === undefined ? {} : { after: position.seq, epoch: position.epoch }
        socket.send(JSON.stringify({ type: 'resume', ...resume }))
        timer = setInterval(() => {
          write(': keep-alive\n\n')
          if (!isOver) socket.send('ping')
        }, keepAlive)
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: maxWaiting }),
  )
}
