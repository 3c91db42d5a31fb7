/**
 * A bounded queue of 32-bit integers that threads share: any number of producers and consumers, without locks.
 *
 * It lives in a `SharedArrayBuffer`, which a worker gets by `postMessage` and opens by {@link fromBuffer}. A thread
 * that is terminated during an operation does not block other threads; at most, the integer that it was about to return
 * is lost. To queue records, keep them in shared memory and queue their indices.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Check from "../internal/check.js"
import type { InvalidInput } from "../InvalidInput.js"
import * as Ring from "./internal/Ring.js"
import * as Shared from "./internal/shared.js"

/**
 * Options of a queue.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum integers in the queue: a power of two from 2 to 1,048,576. Too low: `offer` often returns false. Too high:
   * each takes 8 bytes of memory.
   */
  readonly capacity: number
}

/**
 * A queue. All operations return at once.
 *
 * @since 0.1.0
 * @category models
 */
export interface AtomicQueue {
  /** The memory, for other threads. */
  readonly buffer: SharedArrayBuffer
  readonly capacity: number
  /** Integers in the queue. Other threads may have changed it since. */
  readonly size: number
  /** Appends a whole number from −2³¹ to 2³¹ − 1; false if the queue is full. `InvalidInput` for any other value. */
  readonly offer: (value: number) => Either.Either<boolean, InvalidInput>
  /** Removes the oldest integer. */
  readonly poll: () => Option.Option<number>
  /**
   * Removes all integers, oldest first. It stops after `capacity` integers, because producers may add more meanwhile.
   */
  readonly drain: () => Array<number>
  /**
   * Frees the cells that contradict the queue's counters, and returns their number. Only foreign code that writes into
   * the memory causes such cells: after the death of a thread the result is 0. Call it while no other thread uses the
   * queue.
   */
  readonly repair: () => number
}

const MAX_CAPACITY = 2 ** 20

const layout: Shared.Layout = {
  magic: 0x514d5031,
  bytes: Ring.bytes,
  check: (field, capacity) => Shared.powerOfTwo(field, capacity, 2, MAX_CAPACITY)
}

/** Shared results: `offer` allocates nothing unless it refuses. */
const accepted = Either.right(true)
const full = Either.right(false)

const isInt32 = (value: number): boolean => (value | 0) === value

const open = (ring: Ring.Ring): AtomicQueue => ({
  buffer: ring.buffer,
  capacity: ring.capacity,
  get size() {
    return ring.size
  },
  offer: (value) =>
    isInt32(value)
      ? ring.offer(value)
        ? accepted
        : full
      : Either.map(Check.integer("value", value, -(2 ** 31), 2 ** 31 - 1), (value) => ring.offer(value)),
  poll: () => {
    const value = ring.poll()
    return Number.isNaN(value) ? Option.none() : Option.some(value)
  },
  drain: () => {
    const values: Array<number> = []
    // Bounded, because producers may add as fast as this loop removes.
    while (values.length < ring.capacity) {
      const value = ring.poll()
      if (Number.isNaN(value)) break
      values.push(value)
    }
    return values
  },
  repair: () => ring.repair()
})

/**
 * An empty queue in memory of its own.
 *
 * @example
 * ```ts
 * import * as AtomicQueue from "@pod-protocol/effect/concurrent/AtomicQueue"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const queue = yield* AtomicQueue.make({ capacity: 1024 })
 *   yield* queue.offer(7)
 *   return queue.poll() // Some(7)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ capacity }: Options): Either.Either<AtomicQueue, InvalidInput> =>
  Either.map(
    Either.flatMap(layout.check("capacity", capacity), () => Shared.allocate(layout, capacity)),
    (buffer) => {
      const ring = new Ring.Ring(buffer, capacity)
      ring.clear()
      return open(ring)
    }
  )

/**
 * Opens the queue in a buffer that another thread made by {@link make}. `InvalidInput` for any other value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBuffer = (buffer: unknown): Either.Either<AtomicQueue, InvalidInput> =>
  Either.map(Shared.capacityOf(layout, buffer), ({ buffer, capacity }) => open(new Ring.Ring(buffer, capacity)))
