/**
 * A map bounded in entries and bytes, which evicts by SIEVE (Zhang et al., NSDI 2024).
 *
 * The entries form a list from the newest to the oldest. A hit sets the entry's bit and moves nothing. To evict, a hand
 * walks from the oldest entry to the newest, and starts again at the oldest. It clears each set bit and evicts the
 * first entry whose bit is not set. So entries that a scan reads once leave before entries that are read often.
 *
 * Invariants: `bytes` is the sum of the sizes; neither bound is ever exceeded; the map and the list hold the same
 * entries; the hand, if set, is in the list. Every operation is O(1), eviction amortised.
 */

interface Node<V> {
  readonly key: string
  value: V
  size: number
  isHit: boolean
  newer: Node<V> | undefined
  older: Node<V> | undefined
}

export interface Bounds {
  /** Whole, at least 1. */
  readonly maxEntries: number
  /** Sum of all sizes, at least 1. An entry above it is not kept. */
  readonly maxBytes: number
}

export class Sieve<V> {
  readonly #bounds: Bounds
  readonly #onRemove: (key: string, value: V) => void
  readonly #nodes = new Map<string, Node<V>>()
  #newest: Node<V> | undefined
  #oldest: Node<V> | undefined
  #hand: Node<V> | undefined
  #bytes = 0
  #evictions = 0

  /** `onRemove` runs for each value that leaves: evicted, deleted, replaced or cleared. */
  constructor(bounds: Bounds, onRemove: (key: string, value: V) => void = () => undefined) {
    this.#bounds = bounds
    this.#onRemove = onRemove
  }

  get size(): number {
    return this.#nodes.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Number of evicted entries. */
  get evictions(): number {
    return this.#evictions
  }

  /** The value, which counts as a hit. */
  get(key: string): V | undefined {
    const node = this.#nodes.get(key)
    if (node === undefined) return undefined
    node.isHit = true
    return node.value
  }

  /** The value, without a hit. */
  peek(key: string): V | undefined {
    return this.#nodes.get(key)?.value
  }

  /**
   * Stores the value and returns whether it is kept. A value whose size alone exceeds `maxBytes` is not kept, and the
   * key's former value is removed.
   */
  set(key: string, value: V, size: number): boolean {
    const known = this.#nodes.get(key)
    if (size > this.#bounds.maxBytes) {
      if (known !== undefined) this.#remove(known)
      return false
    }
    if (known === undefined) {
      this.#makeRoom(size, this.#bounds.maxEntries - 1)
      this.#insert({ key, value, size, isHit: false, newer: undefined, older: undefined })
      return true
    }
    const replaced = known.value
    this.#bytes += size - known.size
    known.value = value
    known.size = size
    this.#onRemove(key, replaced)
    // The bit delays the eviction of the entry itself while others make room for its growth.
    if (this.#bytes > this.#bounds.maxBytes) {
      known.isHit = true
      this.#makeRoom(0, this.#bounds.maxEntries)
    }
    return this.#nodes.get(key) === known
  }

  delete(key: string): boolean {
    const node = this.#nodes.get(key)
    if (node === undefined) return false
    this.#remove(node)
    return true
  }

  clear(): void {
    for (const node of this.#nodes.values()) this.#remove(node)
  }

  /** All entries, from the newest to the oldest. No entry counts as hit. */
  *entries(): Generator<readonly [key: string, value: V]> {
    for (let node = this.#newest; node !== undefined; node = node.older) yield [node.key, node.value]
  }

  /** Evicts until `size` more bytes fit and at most `entries` are left. */
  #makeRoom(size: number, entries: number): void {
    while (this.#nodes.size > entries || this.#bytes + size > this.#bounds.maxBytes) {
      let node = this.#hand ?? this.#oldest
      while (node?.isHit === true) {
        node.isHit = false
        node = node.newer ?? this.#oldest
      }
      if (node === undefined) return
      this.#hand = node.newer
      this.#remove(node)
      this.#evictions++
    }
  }

  #insert(node: Node<V>): void {
    node.older = this.#newest
    if (this.#newest === undefined) this.#oldest = node
    else this.#newest.newer = node
    this.#newest = node
    this.#nodes.set(node.key, node)
    this.#bytes += node.size
  }

  #remove(node: Node<V>): void {
    if (this.#hand === node) this.#hand = node.newer
    if (node.newer === undefined) this.#newest = node.older
    else node.newer.older = node.older
    if (node.older === undefined) this.#oldest = node.newer
    else node.older.newer = node.newer
    // A removed node in V8's old space would otherwise keep each later node alive until a full collection.
    node.newer = undefined
    this.#nodes.delete(node.key)
    this.#bytes -= node.size
    this.#onRemove(node.key, node.value)
  }
}
