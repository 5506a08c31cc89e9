/** Called for each frame of that kind; true: it happens. */
export type SocketFaults = { losesAck: () => boolean; doublesSend: () => boolean }

type Listener = (event: MessageEvent) => void

const parse = (text: string): { type?: string; events?: { type: string }[] } => {
  try {
    return JSON.parse(text)
  } catch {
    return {} // `pong`
  }
}

/**
 * The runtime's own WebSocket with a bad connection: acknowledgements are lost on the way, alone or out of a batch, and
 * what is sent arrives twice. Cuts are the test's to make, at the TCP connection.
 */
export const faultySocket = ({ losesAck, doublesSend }: SocketFaults) => {
  const survive = (text: string): string | undefined => {
    const frame = parse(text)
    if (frame.type === 'ack') return losesAck() ? undefined : text
    if (frame.type !== 'batch') return text
    const events = frame.events?.filter(({ type }) => type !== 'ack' || !losesAck())
    return JSON.stringify({ ...frame, events })
  }
  const wrapped = new WeakMap<Listener, Listener>()

  return class FaultySocket extends WebSocket {
    override send(data: Parameters<WebSocket['send']>[0]) {
      super.send(data)
      if (typeof data === 'string' && parse(data).type === 'send' && doublesSend()) super.send(data)
    }

    override addEventListener(type: string, listener: unknown) {
      if (type !== 'message') return super.addEventListener(type, listener as never)
      const filter: Listener = (event) => {
        const data = survive(String(event.data))
        if (data !== undefined) (listener as Listener)(new MessageEvent('message', { data }))
      }
      wrapped.set(listener as Listener, filter)
      super.addEventListener(type, filter as never)
    }

    override removeEventListener(type: string, listener: unknown) {
      super.removeEventListener(type, (wrapped.get(listener as Listener) ?? listener) as never)
    }
  }
}
