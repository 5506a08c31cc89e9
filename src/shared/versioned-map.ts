const absent = Symbol('absent')

/** How a version differs from the one that was made of it. */
type Difference<K, V> = { newer: VersionedMap<K, V>; key: K; was: V | typeof absent }

/**
 * A map that never changes: `set` and `delete` answer another. Making one takes the same time however many entries there
 * are, because the newest version takes over the table and leaves what differs in the one before (Baker's trick: "Shallow
 * binding makes functional arrays fast", 1991). An older version stays what it was and is slower to read; one that is iterated
 * or changed gets a table of its own. A class, because a version is made at every step, and closures for each would cost more
 * than the step.
 */
export class VersionedMap<K, V> implements ReadonlyMap<K, V> {
  #table: Map<K, V> | undefined
  #difference: Difference<K, V> | undefined

  /** Takes the table over. */
  private constructor(table: Map<K, V>) {
    this.#table = table
  }

  static of<K, V>(entries: Iterable<readonly [K, V]> = []): VersionedMap<K, V> {
    return new VersionedMap(new Map(entries))
  }

  get(key: K): V | undefined {
    const found = this.#find(key)
    return found === absent ? undefined : found
  }

  has(key: K): boolean {
    return this.#find(key) !== absent
  }

  get size(): number {
    return this.#own().size
  }

  set(key: K, value: V): VersionedMap<K, V> {
    return this.#become(key, (table) => table.set(key, value))
  }

  delete(key: K): VersionedMap<K, V> {
    return this.has(key) ? this.#become(key, (table) => table.delete(key)) : this
  }

  // Of copies: while somebody walks through this version, the next one may take the table over.

  entries(): MapIterator<[K, V]> {
    return new Map(this.#own()).entries()
  }

  keys(): MapIterator<K> {
    return new Map(this.#own()).keys()
  }

  values(): MapIterator<V> {
    return new Map(this.#own()).values()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this)
  }

  #find(key: K): V | typeof absent {
    let difference = this.#difference
    if (difference === undefined) return this.#entryOf(key)
    for (; difference.key !== key; difference = difference.newer.#difference) {
      if (difference.newer.#difference === undefined) return difference.newer.#entryOf(key)
    }
    return difference.was
  }

  #entryOf(key: K): V | typeof absent {
    const value = this.#table?.get(key)
    return value === undefined && this.#table?.has(key) !== true ? absent : (value as V)
  }

  #become(key: K, change: (table: Map<K, V>) => unknown): VersionedMap<K, V> {
    const table = this.#own()
    const was = this.#entryOf(key)
    change(table)
    const newer = new VersionedMap(table)
    this.#difference = { newer, key, was }
    this.#table = undefined
    return newer
  }

  /** The table of this version: of an older one, that of the newest with all differences taken back. */
  #own(): Map<K, V> {
    if (this.#table !== undefined) return this.#table
    const differences: Difference<K, V>[] = []
    let newest: VersionedMap<K, V> | undefined
    for (let one = this.#difference; one; one = newest.#difference) {
      differences.push(one)
      newest = one.newer
    }
    const table = new Map(newest === undefined ? [] : newest.#table)
    for (const { key, was } of differences.toReversed()) {
      if (was === absent) table.delete(key)
      else table.set(key, was)
    }
    this.#table = table
    this.#difference = undefined
    return table
  }
}
