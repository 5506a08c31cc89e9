/** A first-come, first-served lock whose holder can learn that somebody waits. */
export const createTurns = () => {
  const waiting: (() => void)[] = []
  let held = false
  let wanted: (() => void) | undefined

  return {
    acquire: () =>
      new Promise<void>((resolve) => {
        if (!held) {
          held = true
          return resolve()
        }
        waiting.push(resolve)
        wanted?.()
      }),
    release: () => {
      wanted = undefined
      const next = waiting.shift()
      if (next) next()
      else held = false
    },
    /** Calls back when somebody waits for the holder, at once if somebody does already. */
    whenWanted: (callback: (() => void) | undefined) => {
      wanted = callback
      if (waiting.length > 0) callback?.()
    },
  }
}
