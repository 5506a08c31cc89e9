/** A map that keeps the `max` entries that were set last. */
export const createBoundedMap = <K, V>(max: number) => {
  const entries = new Map<K, V>()
  return {
    get: (key: K): V | undefined => entries.get(key),
    delete: (key: K): boolean => entries.delete(key),
    set(key: K, value: V): void {
      entries.delete(key)
      entries.set(key, value)
      // A Map iterates in the order of insertion.
      for (const oldest of entries.keys()) {
        if (entries.size <= max) return
        entries.delete(oldest)
      }
    },
  }
}
