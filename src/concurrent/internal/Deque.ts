/**
 * The deque of Chase and Lev, bounded, over shared memory: one owner pushes and pops at the bottom, any thread steals at the
 * top. It holds integers of at least 0.
 *
 * Positions are 32-bit and wrap. The operations of `Atomics` are sequentially consistent, so the algorithm needs no
 * fence. If the owner is terminated inside `pop`, the popped item may be lost; `adopt` makes the deque usable by the
 * next owner.
 *
 * Excluded races: one compare-and-exchange of `top` decides who gets the last item, the owner or one of the thieves. A
 * thief whose cell was overwritten fails that exchange, because `push` reuses a cell only after `top` has passed it.
 */
import { LINE_WORDS } from "./line.js"

const TOP = 0
const BOTTOM = LINE_WORDS
const CELLS = 2 * LINE_WORDS

/** Returned by `pop` and `steal` if there is no item. */
export const NONE = -1

export const bytes = (capacity: number): number => 4 * (CELLS + capacity)

export class Deque {
  readonly #words: Int32Array
  readonly #mask: number

  /** `capacity` is a power of two. */
  constructor(
    buffer: SharedArrayBuffer,
    readonly capacity: number,
    offset = 0
  ) {
    this.#words = new Int32Array(buffer, offset, CELLS + capacity)
    this.#mask = capacity - 1
  }

  /** Sets the counters of an empty deque. Call it before other threads have the buffer. */
  clear(start = 0): void {
    Atomics.store(this.#words, TOP, start | 0)
    Atomics.store(this.#words, BOTTOM, start | 0)
  }

  get size(): number {
    const top = Atomics.load(this.#words, TOP)
    return Math.min(Math.max((Atomics.load(this.#words, BOTTOM) - top) | 0, 0), this.capacity)
  }

  /** Adds an item; false if the deque is full. Only the owner calls it. */
  push(item: number): boolean {
    const bottom = Atomics.load(this.#words, BOTTOM)
    const size = (bottom - Atomics.load(this.#words, TOP)) | 0
    if (size >= this.capacity) return false
    Atomics.store(this.#words, CELLS + (bottom & this.#mask), item)
    Atomics.store(this.#words, BOTTOM, (bottom + 1) | 0)
    return true
  }

  /** Takes the item that was pushed last. Only the owner calls it. */
  pop(): number {
    const bottom = (Atomics.load(this.#words, BOTTOM) - 1) | 0
    Atomics.store(this.#words, BOTTOM, bottom)
    const top = Atomics.load(this.#words, TOP)
    const left = (bottom - top) | 0
    if (left < 0) {
      Atomics.store(this.#words, BOTTOM, top)
      return NONE
    }
    const item = Atomics.load(this.#words, CELLS + (bottom & this.#mask))
    if (left > 0) return item
    // The last item: another thread may steal it at the same time.
    const isOurs = Atomics.compareExchange(this.#words, TOP, top, (top + 1) | 0) === top
    Atomics.store(this.#words, BOTTOM, (top + 1) | 0)
    return isOurs ? item : NONE
  }

  /** Takes the oldest item; tries again if another thread took that item first. Any thread may call it. */
  steal(): number {
    for (;;) {
      const top = Atomics.load(this.#words, TOP)
      if (((Atomics.load(this.#words, BOTTOM) - top) | 0) <= 0) return NONE
      const item = Atomics.load(this.#words, CELLS + (top & this.#mask))
      if (Atomics.compareExchange(this.#words, TOP, top, (top + 1) | 0) === top) return item
    }
  }

  /** Corrects the counter that an unfinished `pop` of a terminated owner left. A new owner calls it first. */
  adopt(): void {
    const top = Atomics.load(this.#words, TOP)
    if (((Atomics.load(this.#words, BOTTOM) - top) | 0) < 0) Atomics.store(this.#words, BOTTOM, top)
  }
}
