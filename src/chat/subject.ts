export const subjectTypes = ['order', 'product', 'support'] as const

export type SubjectType = (typeof subjectTypes)[number]

/** Members that a conversation may have at a time. */
export const maxMembers = 500

/** Characters of the last message that a list shows. */
export const previewLength = 200

/** What lists show of the last message. */
export type LastMessage = {
  id: string
  seq: number
  from: string | null
  at: string
  content: string
  /** How many. */
  attachments: number
}
