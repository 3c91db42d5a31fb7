/** Selects the first items of an order out of many, without sorting all of them. */

export class Best<A> {
  readonly #items: Array<A> = []
  readonly #limit: number
  readonly #compare: (a: A, b: A) => number

  constructor(limit: number, compare: (a: A, b: A) => number) {
    this.#limit = limit
    this.#compare = compare
  }

  add(item: A): void {
    const items = this.#items
    const last = items.at(-1)
    const isFull = items.length === this.#limit
    if (isFull && last !== undefined && this.#compare(item, last) >= 0) return
    let low = 0
    let high = items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = items[middle]
      if (other !== undefined && this.#compare(other, item) < 0) low = middle + 1
      else high = middle
    }
    if (isFull) items.pop()
    items.splice(low, 0, item)
  }

  /** The selected items, in order. */
  get items(): ReadonlyArray<A> {
    return this.#items
  }
}
