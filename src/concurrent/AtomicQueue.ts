/**
 * A bounded queue of 32-bit integers that threads share: any number of producers and consumers, without locks.
 *
 * It lives in a `SharedArrayBuffer`, which a worker gets by `postMessage` and opens by {@link fromBuffer}. A thread that is
 * terminated in the middle of an operation blocks nobody, and takes at most the integer with it that it was about to return.
 * For records, queue the numbers of slots in memory that is shared beside it.
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
   * Integers that it holds: a power of two from 2 to 1,048,576. Too low: `offer` finds it full. Too high: 8 bytes of memory
   * for each.
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
  /** Removes all integers that are there, oldest first. */
  readonly drain: () => Array<number>
  /**
   * Frees the cells that contradict the queue's counters, and returns how many. They are only there if foreign code wrote into
   * the memory: after the death of a thread it is 0. Call it while no other thread uses the queue.
   */
  readonly repair: () => number
}

const MAX_CAPACITY = 2 ** 20

const layout: Shared.Layout = {
  magic: 0x514d5031,
  bytes: Ring.bytes,
  check: (field, capacity) => Shared.powerOfTwo(field, capacity, 2, MAX_CAPACITY)
}

/** `offer` makes no object unless it refuses. */
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
    // Producers may be as fast as this loop.
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
 * The queue in the memory of another thread's. `InvalidInput` for anything that {@link make} did not make.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBuffer = (buffer: unknown): Either.Either<AtomicQueue, InvalidInput> =>
  Either.map(Shared.capacityOf(layout, buffer), ({ buffer, capacity }) => open(new Ring.Ring(buffer, capacity)))
