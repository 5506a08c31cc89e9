export class TimeoutError extends Error {
  constructor(milliseconds: number) {
    super(`No answer within ${milliseconds} ms`)
    this.name = 'TimeoutError'
  }
}

/** The wait is cut into this many. */
const slices = 5

const late = Symbol('late')

const next = async <T>(milliseconds: number, promise: Promise<T>): Promise<T | typeof late> => {
  const { promise: timeout, resolve } = Promise.withResolvers<typeof late>()
  const timer = setTimeout(resolve, milliseconds, late)
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What the promise brings, if it does so in time; what it does later is ignored. Time in which this isolate was busy
 * (a password hash takes a tenth of a second) and could not have heard the answer counts as one slice at most.
 * @throws TimeoutError
 */
export const within = async <T>(milliseconds: number, promise: Promise<T>): Promise<T> => {
  for (let slice = 0; slice < slices; slice++) {
    const outcome = await next(milliseconds / slices, promise)
    if (outcome !== late) return outcome
  }
  throw new TimeoutError(milliseconds)
}
