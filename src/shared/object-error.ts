/** What the platform says of a call to an object that failed: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
export const says = (error: unknown, what: 'retryable' | 'overloaded'): boolean =>
  error instanceof Error && Reflect.get(error, what) === true
