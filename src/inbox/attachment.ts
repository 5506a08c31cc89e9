/** What the Worker tells the inbox of whom it lets in. */
export type Admission = { userId: string; sessionId: string }

/** The header that carries it: only our own Worker can reach an object. */
export const admissionHeader = 'X-Selvedge-Admission'

/** What a socket carries through the inbox's sleep. */
export type Attachment = {
  sessionId: string
  connectedAt: number
  /** It has resumed, and is told what is new. */
  live: boolean
  /** Frames that were none of the protocol. */
  bad: number
  /** Set when the inbox closed it: until the other side has answered, the runtime still lists it. */
  ended?: true
}
