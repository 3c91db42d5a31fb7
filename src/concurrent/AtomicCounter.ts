/**
 * A 64-bit counter that threads share, without locks. Each thread adds to a line of memory of its own, and a reader sums the
 * lines, so threads do not slow each other down.
 *
 * It lives in a `SharedArrayBuffer`, which a worker gets by `postMessage` and opens by {@link fromBuffer}.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Check from "../internal/check.js"
import type { InvalidInput } from "../InvalidInput.js"
import { LINE, LINE_WORDS } from "./internal/line.js"
import * as Shared from "./internal/shared.js"

/**
 * Options of a counter.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Number of cache lines of 64 bytes that threads add to: a power of two from 1 to 1024. Default 16. Too low: threads
   * share a line, and their additions wait for each other. Too high: reading takes longer.
   */
  readonly shards?: number | undefined
}

/**
 * A counter. All operations return at once.
 *
 * @since 0.1.0
 * @category models
 */
export interface AtomicCounter {
  /** The memory, for other threads. */
  readonly buffer: SharedArrayBuffer
  /** Adds 1. */
  readonly increment: () => void
  /** Adds a safe integer, which may be negative. `InvalidInput` for any other value. The sum wraps at 2⁶³. */
  readonly add: (by: number) => Either.Either<void, InvalidInput>
  /** The sum. It may or may not include additions of other threads during the call. */
  readonly get: () => bigint
  /** Sets the sum to 0 and returns what it was. No addition of another thread is lost: it is in this sum or in the next. */
  readonly reset: () => bigint
}

/** Index of the word that holds the shard of the next thread. */
const NEXT = LINE_WORDS

const FIRST_SHARD = 2 * LINE

/** 64-bit words in a line. */
const STRIDE = LINE / 8

const layout: Shared.Layout = {
  magic: 0x43545231,
  bytes: (shards) => FIRST_SHARD + LINE * shards,
  check: (field, shards) => Shared.powerOfTwo(field, shards, 1, 1024)
}

const open = (buffer: SharedArrayBuffer, shards: number): AtomicCounter => {
  const cells = new BigInt64Array(buffer, FIRST_SHARD, STRIDE * shards)
  const own = STRIDE * (Atomics.add(new Int32Array(buffer), NEXT, 1) & (shards - 1))
  const sum = (read: (index: number) => bigint): bigint => {
    let sum = 0n
    for (let index = 0; index < cells.length; index += STRIDE) sum += read(index)
    return BigInt.asIntN(64, sum)
  }
  return {
    buffer,
    increment: () => {
      Atomics.add(cells, own, 1n)
    },
    add: (by) =>
      Either.map(Check.integer("by", by, -Number.MAX_SAFE_INTEGER), (by) => {
        Atomics.add(cells, own, BigInt(by))
      }),
    get: () => sum((index) => Atomics.load(cells, index)),
    reset: () => sum((index) => Atomics.exchange(cells, index, 0n))
  }
}

/**
 * A counter of 0 in memory of its own.
 *
 * @example
 * ```ts
 * import * as AtomicCounter from "@pod-protocol/effect/concurrent/AtomicCounter"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const requests = yield* AtomicCounter.make()
 *   requests.increment()
 *   yield* requests.add(2)
 *   return requests.get() // 3n
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ shards = 16 }: Options = {}): Either.Either<AtomicCounter, InvalidInput> =>
  Either.map(
    Either.flatMap(layout.check("shards", shards), () => Shared.allocate(layout, shards)),
    (buffer) => open(buffer, shards)
  )

/**
 * Opens the counter in a buffer that another thread made by {@link make}. `InvalidInput` for any other value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBuffer = (buffer: unknown): Either.Either<AtomicCounter, InvalidInput> =>
  Either.map(Shared.capacityOf(layout, buffer), ({ buffer, capacity }) => open(buffer, capacity))
