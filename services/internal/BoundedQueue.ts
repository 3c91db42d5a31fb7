/**
 * A queue with one reader, bounded in items and in bytes.
 *
 * Invariants:
 * - Writers are callbacks outside of Effect. They never wait: a full queue refuses an item.
 * - An empty queue accepts an item of any size, so that no item is too large to be delivered.
 * - The reader takes at most `PIECE` bytes at once, so that unread items stay counted.
 * - After `end` no item is added. The reader gets the queued items, and then the end.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** Maximum bytes that the reader takes at once. A longer item is taken alone. */
const PIECE = 256 * 1024

/** The bounds of a queue. */
export interface Bounds {
  readonly items: number
  readonly bytes: number
}

interface Item<A> {
  readonly value: A
  readonly bytes: number
}

export class BoundedQueue<A, E> {
  readonly #bounds: Bounds
  readonly #readable = Effect.unsafeMakeLatch(false)
  #items: Array<Item<A>> = []
  #bytes = 0
  #end: Option.Option<E> | undefined

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#items.length
  }

  /** Adds an item. False if the queue is full. After the end it returns true and adds nothing. */
  offer(value: A, bytes: number): boolean {
    if (this.#end !== undefined) return true
    const isFull = this.#items.length >= this.#bounds.items || this.#bytes + bytes > this.#bounds.bytes
    if (isFull && this.#items.length > 0) return false
    this.#items.push({ value, bytes })
    this.#bytes += bytes
    this.#readable.unsafeOpen()
    return true
  }

  /** Ends the queue; only the first call counts. `None` ends the reader's Stream without an error. */
  end(error: Option.Option<E>): void {
    this.#end ??= error
    this.#readable.unsafeOpen()
  }

  /** Takes the next items, at least one, and waits for the first if there is none. Fails with the end. */
  readonly take: Effect.Effect<Chunk.Chunk<A>, Option.Option<E>> = Effect.suspend(() => {
    if (this.#items.length > 0) return Effect.succeed(this.#piece())
    return this.#end === undefined ? Effect.zipRight(this.#readable.await, this.take) : Effect.fail(this.#end)
  })

  get stream(): Stream.Stream<A, E> {
    return Stream.repeatEffectChunkOption(this.take)
  }

  #piece(): Chunk.Chunk<A> {
    let bytes = 0
    let count = 0
    for (const item of this.#items) {
      if (count > 0 && bytes + item.bytes > PIECE) break
      bytes += item.bytes
      count++
    }
    this.#bytes -= bytes
    const taken = count === this.#items.length ? this.#items : this.#items.splice(0, count)
    if (taken === this.#items) this.#items = []
    if (this.#items.length === 0 && this.#end === undefined) this.#readable.unsafeClose()
    return Chunk.unsafeFromArray(taken.map(({ value }) => value))
  }
}
