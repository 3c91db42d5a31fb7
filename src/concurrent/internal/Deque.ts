/**
 * The deque of Chase and Lev, bounded, over shared memory: one owner pushes and pops at the bottom, any thread steals at the
 * top. It holds integers of at least 0.
 *
 * Positions are 32-bit and wrap. The operations of `Atomics` are sequentially consistent, so the algorithm needs no fence.
 * An owner that is terminated inside `pop` may take the item with it; `adopt` makes the deque usable by the next owner.
 */
import { LINE_WORDS } from "./line.js"

const TOP = 0
const BOTTOM = LINE_WORDS
const CELLS = 2 * LINE_WORDS

/** What `pop` and `steal` return for no item. */
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

  /** Sets the counters of an empty deque. Only before other threads have the buffer. */
  clear(start = 0): void {
    Atomics.store(this.#words, TOP, start | 0)
    Atomics.store(this.#words, BOTTOM, start | 0)
  }

  get size(): number {
    const top = Atomics.load(this.#words, TOP)
    return Math.min(Math.max((Atomics.load(this.#words, BOTTOM) - top) | 0, 0), this.capacity)
  }

  /** Of the owner: adds an item; false if the deque is full. */
  push(item: number): boolean {
    const bottom = Atomics.load(this.#words, BOTTOM)
    const size = (bottom - Atomics.load(this.#words, TOP)) | 0
    if (size >= this.capacity) return false
    Atomics.store(this.#words, CELLS + (bottom & this.#mask), item)
    Atomics.store(this.#words, BOTTOM, (bottom + 1) | 0)
    return true
  }

  /** Of the owner: takes the item that it pushed last. */
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
    // The last item: a thief may want it too.
    const isOurs = Atomics.compareExchange(this.#words, TOP, top, (top + 1) | 0) === top
    Atomics.store(this.#words, BOTTOM, (top + 1) | 0)
    return isOurs ? item : NONE
  }

  /** Of any thread: takes the oldest item. Another thief may be faster; then it tries again. */
  steal(): number {
    for (;;) {
      const top = Atomics.load(this.#words, TOP)
      if (((Atomics.load(this.#words, BOTTOM) - top) | 0) <= 0) return NONE
      const item = Atomics.load(this.#words, CELLS + (top & this.#mask))
      if (Atomics.compareExchange(this.#words, TOP, top, (top + 1) | 0) === top) return item
    }
  }

  /** Of a new owner, after the old one died: takes back what an unfinished `pop` left. */
  adopt(): void {
    const top = Atomics.load(this.#words, TOP)
    if (((Atomics.load(this.#words, BOTTOM) - top) | 0) < 0) Atomics.store(this.#words, BOTTOM, top)
  }
}
