import type { OutletState } from './outlet.ts'
import type { Socket } from './room/state.ts'

/** What a socket carries through its room's sleep: all that the room knows of it. At most 16 KB. */
export type Attachment = {
  socket: Socket
  outlet: OutletState
  connectedAt: number
  /** Set when the room closed it: until the other side has answered, the runtime still lists it. */
  ended?: true
}

/** What the Worker tells the room of whom it lets in. */
export type Admission = {
  userId: string
  sessionId: string
  role: 'customer' | 'shop'
  /** Of the member's row. */
  version: number
  conversation: { id: string; version: number; closed: boolean }
}

/** The header that carries it: only our own Worker can reach an object. */
export const admissionHeader = 'X-Selvedge-Admission'
