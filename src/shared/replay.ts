/**
 * Raised by the database in place of a change that was made before under the same idempotency key: what was answered
 * then, and whether the same was asked.
 */
export class Replay extends Error {
  readonly same: boolean
  readonly status: number
  readonly text: string

  constructor({ same, status, text }: { same: boolean; status: number; text: string }) {
    super('Answered before')
    this.name = 'Replay'
    this.same = same
    this.status = status
    this.text = text
  }
}
