/** Admissions in a page, which is one row of storage: an admission rewrites at most half a kilobyte. */
const pageSize = 64

/** Slots that a full log grows by: doubling, but never by more than a kilobyte. */
const growth = (size: number): number => Math.min(Math.max(size, 8), 128)

export type AdmissionLog = ReturnType<typeof createAdmissionLog>

/**
 * Moments of admissions in ascending order, a queue of doubles. A log that keeps n admissions takes at most
 * 8 · (n + 63 + 128) bytes: 63 that have expired in the page of the oldest, 128 spare slots. Numbers of pages rise for
 * ever, so that a page is never confused with an older one.
 */
export const createAdmissionLog = (firstPage = 0, saved: Float64Array = new Float64Array(0)) => {
  let times = saved
  let size = saved.length
  let first = firstPage

  /** How many are earlier than `time`, by bisection. */
  const countBefore = (time: number): number => {
    let [low, high] = [0, size]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((times[middle] ?? time) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  const pageOf = (index: number): number => first + Math.floor(index / pageSize)

  return {
    /** Page numbers from the one with the oldest admission up to, and without, this. */
    get endPage() {
      return first + Math.ceil(size / pageSize)
    },

    /** The n-th newest, counted from 1; -Infinity when there are fewer. */
    newest: (n: number): number => (n <= size ? (times[size - n] ?? -Infinity) : -Infinity),

    countSince: (time: number): number => size - countBefore(time),

    /** `time` is not earlier than any before. Answers the page that has changed. */
    add(time: number): number {
      if (size === times.length) {
        const grown = new Float64Array(size + growth(size))
        grown.set(times)
        times = grown
      }
      times[size] = time
      size += 1
      return pageOf(size - 1)
    },

    /** Takes one admission of that moment out; answers the first page that has changed, undefined when there was none. */
    remove(time: number): number | undefined {
      const index = countBefore(time)
      if (index === size || times[index] !== time) return undefined
      times.copyWithin(index, index + 1, size)
      size -= 1
      return pageOf(index)
    },

    /** Drops the pages that hold nothing from `time` on; answers their numbers. */
    forgetBefore(time: number): number[] {
      const pages = Math.floor(countBefore(time) / pageSize)
      if (pages === 0) return []
      times.copyWithin(0, pages * pageSize, size)
      size -= pages * pageSize
      first += pages
      return Array.from({ length: pages }, (_, n) => first - pages + n)
    },

    /** A copy; empty past the end. */
    page: (number: number): Float64Array => {
      const start = (number - first) * pageSize
      return times.slice(start, Math.min(start + pageSize, size))
    },
  }
}
