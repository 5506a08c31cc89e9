import { createMachine, type Effect, type Input } from '../../src/client/machine.ts'
import type { RoomEvent } from '../../src/client/room-types.ts'
import { ServerFrame } from '../../src/chat/protocol.ts'
import { createFakeRoom } from './fake-room.ts'

export const [shop, ada] = [
  '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-000000000002',
] as const

/**
 * Ada's machine and a room, with a network between them that moves only when told to, and a clock that a test sets. A
 * connection that the machine wants to be rid of is cut.
 */
export const createMachineWorld = () => {
  const room = createFakeRoom([shop, ada])
  const machine = createMachine()
  const events: RoomEvent[] = []
  const settled = new Map<string, unknown>()
  const failed = new Map<string, string>()
  const sent: string[] = []
  let toRoom: string[] = []
  let toClient: string[] = []
  let end: ReturnType<typeof room.connect> | undefined
  let now = 1_000_000
  let isOver = false

  const once = (key: string) => {
    if (settled.has(key) || failed.has(key)) throw new Error(`${key} is settled twice`)
  }

  const perform = (effect: Effect) => {
    switch (effect.type) {
      case 'send':
        sent.push(typeof effect.frame === 'string' ? effect.frame : JSON.stringify(effect.frame))
        return void toRoom.push(sent.at(-1) ?? '')
      case 'event':
        return void events.push(effect.event)
      case 'settle':
        once(effect.key)
        return void settled.set(effect.key, effect.value)
      case 'fail':
        once(effect.key)
        return void failed.set(effect.key, effect.error.code)
      case 'reconnect':
        return disconnect()
      case 'close':
        isOver = true
        return disconnect()
    }
  }

  const step = (input: Input) => {
    for (const effect of machine.step(input, now)) perform(effect)
  }

  const disconnect = () => {
    end?.leave()
    end = undefined
    toRoom = []
    toClient = []
  }

  const world = {
    room,
    machine,
    events,
    settled,
    failed,
    sent,
    step,
    get now() {
      return now
    },
    get isConnected() {
      return end !== undefined
    },
    get waiting() {
      return { toRoom: toRoom.length, toClient: toClient.length }
    },
    connect() {
      if (end !== undefined || isOver) return
      end = room.connect({
        userId: ada,
        send: (frame) => void toClient.push(typeof frame === 'string' ? frame : JSON.stringify(frame)),
        close: (code) => {
          disconnect()
          step({ type: 'closed', code })
        },
      })
      step({ type: 'opened' })
    },
    cut(code = 1006) {
      if (end === undefined) return
      disconnect()
      step({ type: 'closed', code })
    },
    /** The next frame of ours arrives, or several times, or never. */
    arriveAtRoom(times = 1) {
      const text = toRoom.shift()
      for (let n = 0; text !== undefined && n < times; n += 1) end?.hear(text)
    },
    arriveAtClient(times = 1) {
      const text = toClient.shift()
      for (let n = 0; text !== undefined && n < times; n += 1) {
        step({ type: 'heard', frame: text === 'pong' ? text : ServerFrame.parse(JSON.parse(text)) })
      }
    },
    /** The next frame of the room's is lost when it is an acknowledgement. */
    loseAck() {
      if (toClient[0]?.startsWith('{"type":"ack"') === true) toClient.shift()
    },
    /** Whatever of the log or about it comes next is lost, as no good connection would do it. */
    lose() {
      if (/^\{"type":"(ack|batch|message|receipt)/.test(toClient[0] ?? '')) toClient.shift()
    },
    wait(ms: number) {
      now += ms
      step({ type: 'tick' })
    },
    send(clientId: string, content = clientId) {
      step({ type: 'send', clientId, draft: { content }, at: new Date(now).toISOString() })
    },
    /** All that is under way arrives, and so does all that follows from it. */
    flow() {
      for (let n = 0; n < 10_000 && toRoom.length + toClient.length > 0; n += 1) {
        world.arriveAtRoom()
        world.arriveAtClient()
      }
    },
    /** Until nothing is left to do: connected, everything arrived, every deadline of the next minutes passed. */
    settle() {
      // What was lost at the end is only missed on the next connection.
      world.cut()
      for (let n = 0; n < 200; n += 1) {
        world.connect()
        world.flow()
        const deadline = machine.deadline()
        if (machine.view().messages.every(({ state }) => state !== 'sending') && world.isConnected) return
        if (deadline !== undefined) world.wait(Math.max(0, deadline - now))
      }
    },
    online() {
      world.connect()
      world.flow()
    },
  }
  return world
}
