import { newId } from '../shared/ids.ts'
import { AboutMessage, ClientFrame, limits } from './protocol.ts'
import type { Quota } from './quota.ts'
import type { Lookup } from './room/state.ts'
import type { Runner } from './runner.ts'
import type { RoomStore } from './store.ts'

type Deps = {
  room: Pick<Runner, 'run' | 'state'>
  connections: Pick<Runner['connections'], 'heard' | 'keep' | 'outletOf'>
  store: RoomStore
  /** Of messages. */
  quota: Quota
  /** Of frames. */
  flood: Quota
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const valueOf = (data: string | ArrayBuffer): unknown => {
  const isText =
    typeof data === 'string' && data.length <= limits.frame && Buffer.byteLength(data) <= limits.frame
  return isText ? parsed(data) : undefined
}

/** What sockets send: parsed, with what has to be looked up for it. */
export const createIntake = ({ room, connections, store, quota, flood }: Deps) => {
  const lookUp = (id: string, frame: ClientFrame, now: number): Lookup => {
    const author = room.state().sockets.get(id)?.userId ?? ''
    const lookup = { now, newId: '', waitMs: 0, files: [] }
    if (frame.type === 'send') {
      const known = store.findSent(author, frame.clientId)
      if (known !== undefined) return { ...lookup, known }
      const files = store.files.find(author, frame.attachments ?? [])
      const isOpen = files !== null && !room.state().closed.is
      return { ...lookup, newId: newId(), files, waitMs: isOpen ? quota.take(author, now) : 0 }
    }
    if (frame.type !== 'edit' && frame.type !== 'remove') return lookup
    const target = store.find(frame.id)
    const changes = frame.type === 'edit' && target?.from === author && target.content !== frame.content
    return { ...lookup, target, waitMs: changes ? quota.take(author, now) : 0 }
  }

  return (id: string, data: string | ArrayBuffer): void => {
    const now = Date.now()
    connections.heard(id, now)
    if (flood.take(id, now) > 0) return room.run({ type: 'flood', socket: id })
    const value = valueOf(data)
    const frame = ClientFrame.safeParse(value).data
    if (frame === undefined) {
      room.run({ type: 'badFrame', socket: id, ...AboutMessage.safeParse(value).data })
      return connections.keep(id)
    }
    if (frame.type === 'flow') connections.outletOf(id)?.answered(frame.n)
    room.run({ type: 'frame', socket: id, frame, lookup: lookUp(id, frame, now) })
    if (frame.type === 'flow' || frame.type === 'resume') connections.keep(id)
  }
}
