import type { AttachedFile } from './protocol.ts'

/** A file that a member has brought into a conversation, as PostgreSQL has it at that version of the conversation. */
export type ConversationFile = {
  /** Who alone may send it. */
  owner: string
  version: number
  file: AttachedFile
}

/** A file that was taken out of a conversation; one that was brought with a later version stays. */
export type Released = { id: string; version: number }
