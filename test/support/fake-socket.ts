import type { FakeRoom } from './fake-room.ts'

/** What happens to a frame on its way; each is asked for every frame. */
export type Faults = {
  /** The room's answer is lost, as when a proxy swallows it. */
  drops?: (text: string) => boolean
  /** The frame arrives twice. */
  doubles?: (text: string) => boolean
  /** The attempt to connect fails. */
  refuses?: () => boolean
}

/** `WebSocket` as the client sees it, with the room at its other end and a turn of the event loop between them. */
export const fakeWebSocket = (room: FakeRoom, { drops, doubles, refuses }: Faults = {}) => {
  const open = new Set<FakeSocket>()

  class FakeSocket extends EventTarget {
    readyState = 0
    binaryType = 'blob'
    bufferedAmount = 0
    extensions = ''
    protocol = ''
    readonly url: string
    readonly protocols: string[]
    #end: ReturnType<FakeRoom['connect']> | undefined
    constructor(url: string, protocols: string[]) {
      super()
      this.url = url
      this.protocols = protocols
      setTimeout(() => this.#accept(), 1)
    }
    #accept() {
      if (this.readyState !== 0) return
      const ticket = this.protocols[1]?.replace('ticket.', '')
      if (ticket === undefined || refuses?.() === true) return this.lose(1006)
      this.readyState = 1
      this.protocol = this.protocols[0] ?? ''
      open.add(this)
      this.#end = room.connect({
        userId: ticket,
        send: (frame) => {
          const text = typeof frame === 'string' ? frame : JSON.stringify(frame)
          if (drops?.(text) === true) return
          setTimeout(() => {
            if (this.readyState === 1) this.dispatchEvent(new MessageEvent('message', { data: text }))
          }, 0)
        },
        close: (code) => this.lose(code),
      })
      this.dispatchEvent(new Event('open'))
    }
    send(text: string) {
      for (let times = doubles?.(text) === true ? 2 : 1; times > 0; times -= 1) {
        setTimeout(() => this.#end?.hear(text), 0)
      }
    }
    close(code = 1000) {
      this.lose(code)
    }
    /** The connection is gone, with whatever was under way. */
    lose(code: number) {
      if (this.readyState === 3) return
      this.readyState = 3
      open.delete(this)
      this.#end?.leave()
      this.#end = undefined
      this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '', wasClean: code !== 1006 }))
    }
  }

  return { WebSocket: FakeSocket, open, cut: () => [...open].forEach((socket) => socket.lose(1006)) }
}
