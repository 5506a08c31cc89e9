/**
 * Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015): a wait in milliseconds, uniform
 * between 0 and min(cap, base * 2^attempt). `attempt` counts from 0.
 */
export const backoff = (attempt: number, { base = 50, cap = 2_000, random = Math.random } = {}): number =>
  random() * Math.min(cap, base * 2 ** attempt)

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
