import { AttachedFile, System, type LogEvent, type Message } from './protocol.ts'

export type MessageRow = {
  seq: number
  n: number
  id: string
  author: string | null
  client_id: string
  at: number
  content: string
  attachments: string | null
  system: string | null
  edited_at: number | null
  removed_at: number | null
}

export type EventRow = {
  seq: number
  kind: 'joined' | 'left' | 'messageEdited' | 'messageRemoved'
  message: string
  user: string
  at: number
  detail: string
  /** Of the message that it is about; null: that was dropped. */
  content: string | null
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString()

export const milliseconds = (at: string): number => Date.parse(at)

export const messageOf = (row: MessageRow): Message => ({
  seq: row.seq,
  id: row.id,
  clientId: row.client_id,
  from: row.author,
  at: iso(row.at),
  content: row.content,
  ...(row.attachments !== null && { attachments: AttachedFile.array().parse(JSON.parse(row.attachments)) }),
  ...(row.system !== null && { system: System.parse(JSON.parse(row.system)) }),
  ...(row.edited_at !== null && { editedAt: iso(row.edited_at) }),
  ...(row.removed_at !== null && { removedAt: iso(row.removed_at) }),
})

/** An edit is told with the text as it is now: what was removed since is told no more. */
export const eventOf = ({ seq, kind, message: id, user, detail, content, ...row }: EventRow): LogEvent => {
  const at = iso(row.at)
  switch (kind) {
    case 'messageEdited':
      return { type: kind, seq, at, id, content: content ?? '' }
    case 'messageRemoved':
      return { type: kind, seq, at, id, by: user }
    case 'joined':
    case 'left':
      return {
        type: 'member',
        seq,
        at,
        userId: user,
        change: kind,
        role: detail === 'shop' ? 'shop' : 'customer',
      }
  }
}
