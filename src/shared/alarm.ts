/** The one alarm of an object: wanted by several for different moments, it is set to the first. */
export const createAlarm = (storage: Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>) => {
  let at: number | undefined

  return {
    /** What was set before the object slept. */
    async load(): Promise<void> {
      at = (await storage.getAlarm()) ?? undefined
    },

    /** Whoever still wants it says so again. */
    rang(): void {
      at = undefined
    },

    async by(moment: number): Promise<void> {
      if (at !== undefined && at <= moment) return
      at = moment
      await storage.setAlarm(moment)
    },
  }
}
