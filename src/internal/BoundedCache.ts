/**
 * A map of at most twice `generation` entries, about as fast as a plain map.
 *
 * It has two generations. When the young one is full it becomes the old one, and the old one is dropped. Reading an old
 * entry moves it to the young generation, so entries in use stay.
 */
export class BoundedCache<K, V> {
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  readonly #generation: number

  constructor(generation: number) {
    this.#generation = generation
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
  }

  values(): IterableIterator<V> {
    return [...this.#young.values(), ...this.#old.values()].values()
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const aged = this.#old.get(key)
    if (aged !== undefined) this.set(key, aged)
    return aged
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}
