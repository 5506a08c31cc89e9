/**
 * Of work in the background: something that it needs is away, which is no fault of this job. It is tried again later and
 * not counted as a failure, for as long as a day.
 */
export class LaterError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LaterError'
  }
}
