/**
 * A map that drops its oldest entries. One iterator finds them and continues from its position: a new one would have to
 * pass all entries that were dropped since the map last grew.
 *
 * Invariant: the iterator has passed only dropped entries, and at most the oldest remaining one.
 */
export class OldestFirst<K, V> {
  readonly #entries: Map<K, V>
  readonly #keys: IterableIterator<K>
  #oldest: { readonly key: K } | undefined

  constructor(entries: Iterable<readonly [K, V]> = []) {
    this.#entries = new Map(entries)
    this.#keys = this.#entries.keys()
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  /** The entry is the newest then, also of a known key. */
  set(key: K, value: V): void {
    if (this.#entries.delete(key) && this.#oldest?.key === key) this.#oldest = undefined
    this.#entries.set(key, value)
  }

  /** Oldest first. */
  values(): IterableIterator<V> {
    return this.#entries.values()
  }

  get oldest(): V | undefined {
    if (this.#oldest === undefined && this.#entries.size > 0) {
      const next = this.#keys.next()
      if (next.done !== true) this.#oldest = { key: next.value }
    }
    return this.#oldest === undefined ? undefined : this.#entries.get(this.#oldest.key)
  }

  /** Drops the oldest entry and returns it. */
  dropOldest(): V | undefined {
    const { oldest } = this
    if (this.#oldest !== undefined) this.#entries.delete(this.#oldest.key)
    this.#oldest = undefined
    return oldest
  }

  /** Drops the oldest entries until at most `size` remain, and returns them. */
  dropTo(size: number): ReadonlyArray<V> {
    const dropped: Array<V> = []
    while (this.#entries.size > size) {
      const oldest = this.dropOldest()
      if (oldest !== undefined) dropped.push(oldest)
    }
    return dropped
  }

  copy(): OldestFirst<K, V> {
    return new OldestFirst(this.#entries)
  }
}
