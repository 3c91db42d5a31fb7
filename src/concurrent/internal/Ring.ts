/**
 * A bounded queue of 32-bit integers for any number of producers and consumers, over shared memory.
 *
 * A cell is one word of 64 bits: the upper half encodes the position for which it is free or full, the lower half holds
 * the value. One compare-and-exchange of the cell both claims the position and publishes the value (or takes it). The
 * counters `head` and `tail` follow; a thread that finds a counter behind moves it. So a thread that is terminated at
 * any point leaves no half-written cell, and does not block other threads.
 *
 * Positions are 32-bit and wrap. `free(p)` is written as `p`, `full(p)` as `p + 1`, and a cell that was taken at `p` is
 * free for `p + capacity`. Foreign code wrote a cell that fits none of these: then an operation gives up and never
 * spins.
 */
import { LINE, LINE_WORDS } from "./line.js"

const HEAD = LINE_WORDS
const TAIL = 2 * LINE_WORDS
const CELLS = 3 * LINE

/** Returned by `poll` for an empty ring. No 32-bit integer equals it. */
export const EMPTY = Number.NaN

export const bytes = (capacity: number): number => CELLS + 8 * capacity

export class Ring {
  readonly #words: Int32Array
  readonly #cells: BigInt64Array
  readonly #mask: number
  /** Scratch memory that splits a cell into its two halves. Each thread has its own. */
  readonly #half = new Int32Array(2)
  readonly #whole = new BigInt64Array(this.#half.buffer)

  constructor(
    readonly buffer: SharedArrayBuffer,
    readonly capacity: number
  ) {
    this.#words = new Int32Array(buffer)
    this.#cells = new BigInt64Array(buffer, CELLS, capacity)
    this.#mask = capacity - 1
  }

  /** Makes all cells free, with the counters at `start`. Call it before other threads have the buffer. */
  clear(start = 0): void {
    for (let index = 0; index < this.capacity; index++) {
      const position = (start + index) | 0
      Atomics.store(this.#cells, position & this.#mask, this.#pack(position, 0))
    }
    Atomics.store(this.#words, HEAD, start | 0)
    Atomics.store(this.#words, TAIL, start | 0)
  }

  get size(): number {
    const head = Atomics.load(this.#words, HEAD)
    const size = (Atomics.load(this.#words, TAIL) - head) | 0
    return Math.min(Math.max(size, 0), this.capacity)
  }

  /** Appends a 32-bit integer; false if the ring is full. */
  offer(value: number): boolean {
    for (;;) {
      const tail = Atomics.load(this.#words, TAIL)
      const index = tail & this.#mask
      const cell = Atomics.load(this.#cells, index)
      const ahead = this.#ahead(cell, tail)
      if (ahead === 0) {
        const isOurs = Atomics.compareExchange(this.#cells, index, cell, this.#pack(tail + 1, value)) === cell
        Atomics.compareExchange(this.#words, TAIL, tail, (tail + 1) | 0)
        if (isOurs) return true
      } else if (this.#isPastTail(ahead)) {
        Atomics.compareExchange(this.#words, TAIL, tail, (tail + 1) | 0)
      } else if (Atomics.load(this.#words, TAIL) === tail) return false
    }
  }

  /** Removes the oldest integer, or returns {@link EMPTY}. */
  poll(): number {
    for (;;) {
      const head = Atomics.load(this.#words, HEAD)
      const index = head & this.#mask
      const cell = Atomics.load(this.#cells, index)
      const ahead = this.#ahead(cell, head)
      if (ahead === 1) {
        const value = this.#valueOf(cell)
        const isOurs = Atomics.compareExchange(this.#cells, index, cell, this.#pack(head + this.capacity, 0)) === cell
        Atomics.compareExchange(this.#words, HEAD, head, (head + 1) | 0)
        if (isOurs) return value
      } else if (this.#isPastHead(ahead)) {
        Atomics.compareExchange(this.#words, HEAD, head, (head + 1) | 0)
      } else if (Atomics.load(this.#words, HEAD) === head) return EMPTY
    }
  }

  /**
   * Frees each cell that contradicts the counters, and returns their number. Call it while no other thread uses the
   * ring. A counter that a dead thread left behind is not a contradiction.
   */
  repair(): number {
    const head = this.#settle(HEAD, (ahead) => this.#isPastHead(ahead))
    const tail = this.#settle(TAIL, (ahead) => this.#isPastTail(ahead))
    const size = (tail - head) | 0
    if (size < 0 || size > this.capacity) {
      this.clear(tail)
      return this.capacity
    }
    let freed = 0
    for (let offset = size; offset < this.capacity; offset++) {
      const position = (head + offset) | 0
      if (this.#ahead(Atomics.load(this.#cells, position & this.#mask), position) === 0) continue
      Atomics.store(this.#cells, position & this.#mask, this.#pack(position, 0))
      freed++
    }
    // The full cells move up to the tail in their order, and overwrite the broken cells.
    let write = tail
    for (let offset = size - 1; offset >= 0; offset--) {
      const position = (head + offset) | 0
      const cell = Atomics.load(this.#cells, position & this.#mask)
      if (this.#ahead(cell, position) !== 1) {
        freed++
        continue
      }
      write = (write - 1) | 0
      Atomics.store(this.#cells, write & this.#mask, this.#pack(write + 1, this.#valueOf(cell)))
    }
    for (let position = head; position !== write; position = (position + 1) | 0) {
      Atomics.store(this.#cells, position & this.#mask, this.#pack(position + this.capacity, 0))
    }
    Atomics.store(this.#words, HEAD, write)
    return freed
  }

  /** Whether the cell at the tail was filled: it is full, or already taken. */
  #isPastTail(ahead: number): boolean {
    return ahead === 1 || ahead === this.capacity
  }

  /** Whether the cell at the head was taken: it is free, or full again. */
  #isPastHead(ahead: number): boolean {
    return ahead === this.capacity || ahead === this.capacity + 1
  }

  /** Moves a counter on if its cell is past it, and returns it. No counter is more than one step behind. */
  #settle(counter: number, isPast: (ahead: number) => boolean): number {
    const position = Atomics.load(this.#words, counter)
    if (!isPast(this.#ahead(Atomics.load(this.#cells, position & this.#mask), position))) return position
    Atomics.store(this.#words, counter, (position + 1) | 0)
    return (position + 1) | 0
  }

  #pack(sequence: number, value: number): bigint {
    this.#half[0] = value
    this.#half[1] = sequence
    return this.#whole[0] ?? 0n
  }

  #ahead(cell: bigint, position: number): number {
    this.#whole[0] = cell
    return ((this.#half[1] ?? 0) - position) | 0
  }

  #valueOf(cell: bigint): number {
    this.#whole[0] = cell
    return this.#half[0] ?? 0
  }
}
