/**
 * A sorted list in blocks, for an index whose items change one by one.
 *
 * An insertion into one long array moves half of its entries: 100 µs at a million items. Here, an insertion searches
 * the blocks by their last item, then one block, and moves at most one block. A full block is split in two. An empty
 * one is removed.
 *
 * The order of two items must not change while both are in the list: remove an item before its fields change. The order
 * must distinguish all items, so it ends with a unique field, such as the address.
 */

/** Items of a full block. Smaller: more blocks to search. Larger: more entries to move. */
const BLOCK = 512
const HALF = BLOCK >>> 1

/** Blocks that are filled in one step. */
const BLOCKS = 32

/** Below 0 if `a` comes before `b`; 0 only for the same item. */
export type Compare<A> = (a: A, b: A) => number

/** Below 0 if the item comes before the position, otherwise at least 0. */
export type Position<A> = (item: A) => number

/** The first index whose item is not before the position. */
const lowerBound = <A>(items: ReadonlyArray<A>, isBefore: (item: A) => boolean): number => {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && isBefore(item)) low = middle + 1
    else high = middle
  }
  return low
}

export class SortedList<A extends number | object> {
  #blocks: Array<Array<A>> = []
  readonly #compare: Compare<A>
  #size = 0

  constructor(compare: Compare<A>) {
    this.#compare = compare
  }

  get size(): number {
    return this.#size
  }

  /** The index of the first block that ends at or after the position. */
  #blockAt(position: Position<A>): number {
    return lowerBound(this.#blocks, (block) => {
      const last = block.at(-1)
      return last !== undefined && position(last) < 0
    })
  }

  /** Replaces the list by sorted items. It yields after some blocks. */
  *replacing(items: ArrayLike<A> & { slice: (start: number, end: number) => Iterable<A> }): Generator<void, void> {
    const blocks: Array<Array<A>> = []
    for (let at = 0; at < items.length; at += HALF) {
      blocks.push(Array.from(items.slice(at, at + HALF)))
      if (blocks.length % BLOCKS === 0) yield
    }
    this.#blocks = blocks
    this.#size = items.length
  }

  /** The last item; `undefined` for an empty list. */
  get last(): A | undefined {
    return this.#blocks.at(-1)?.at(-1)
  }

  /** The number of items before the position. */
  rankOf(position: Position<A>): number {
    const index = this.#blockAt(position)
    let rank = 0
    for (let before = 0; before < index; before++) rank += this.#blocks[before]?.length ?? 0
    return rank + lowerBound(this.#blocks[index] ?? [], (item) => position(item) < 0)
  }

  /** Adds an item, which must not be in the list. */
  add(item: A): void {
    const position: Position<A> = (other) => this.#compare(other, item)
    this.#size++
    const index = Math.min(this.#blockAt(position), this.#blocks.length - 1)
    const block = this.#blocks[index]
    if (block === undefined) {
      this.#blocks.push([item])
      return
    }
    block.splice(
      lowerBound(block, (other) => position(other) < 0),
      0,
      item
    )
    if (block.length > BLOCK) this.#blocks.splice(index + 1, 0, block.splice(HALF))
  }

  /** Removes an item. Returns false if it is not in the list. */
  remove(item: A): boolean {
    const position: Position<A> = (other) => this.#compare(other, item)
    const index = this.#blockAt(position)
    const block = this.#blocks[index]
    if (block === undefined) return false
    const at = lowerBound(block, (other) => position(other) < 0)
    if (block[at] !== item) return false
    block.splice(at, 1)
    if (block.length === 0) this.#blocks.splice(index, 1)
    this.#size--
    return true
  }

  /** Visits items in order, from the position, until `visit` returns false. */
  walk(from: Position<A>, visit: (item: A) => boolean): void {
    let index = this.#blockAt(from)
    let block = this.#blocks[index]
    if (block === undefined) return
    let at = lowerBound(block, (item) => from(item) < 0)
    while (block !== undefined) {
      for (; at < block.length; at++) {
        const item = block[at]
        if (item !== undefined && !visit(item)) return
      }
      at = 0
      block = this.#blocks[++index]
    }
  }
}
