/**
 * Scores of many agents, which rise by gains and decay with time. They live in WebAssembly's memory, where a SIMD
 * kernel updates four at a time.
 *
 * They are an application's own scores. The protocol's `reputation` is another number: the program sets it, today to
 * 100 for every agent.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Check from "../internal/check.js"
import { InvalidInput } from "../InvalidInput.js"
import type { Kernel } from "./internal/kernelModel.js"
import * as Portable from "./internal/kernelPortable.js"
import * as Wasm from "./internal/kernelWasm.js"

/**
 * Options of {@link make}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Number of scores: a whole number from 1 to 16,777,216. It never changes. Too low: there are more agents than
   * scores. Too high: each score takes 12 bytes.
   */
  readonly capacity: number
}

/**
 * The parameters of an update. Each number is rounded to 32 bits.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateOptions {
  /**
   * Factor of each score, at least 0. Default 1. Below 1, old gains fade: a daily factor of 0.99 halves them in 69
   * days. Too low: only the latest gains count. Too high: scores reach the cap and stay there.
   */
  readonly decay?: number | undefined
  /** Factor of each gain: a finite number. Default 1. A negative factor turns gains into losses. */
  readonly weight?: number | undefined
  /** The highest score, from 0. Default 100. */
  readonly cap?: number | undefined
}

/**
 * Scores from 0 to a cap. All operations are synchronous.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reputation {
  /** The implementation in use: `simd` and `scalar` are WebAssembly. All three give the same bits. */
  readonly kernel: "simd" | "scalar" | "js"
  /** The scores by index, 0 at first: a view of the memory, of `capacity` floats. Write to it to set scores. */
  readonly scores: Float32Array
  /** A view of the memory for gains, of `capacity` floats. An update with this array copies nothing. */
  readonly gains: Float32Array
  /**
   * Sets each score to `score · decay + gain · weight`, from 0 to `cap`. Without `gains`, scores only decay. A gain
   * that is NaN counts as 0. A score that is NaN or below 2⁻¹²⁶ becomes 0. `InvalidInput` if the gains differ in length
   * from the scores, or if an option is out of range; then nothing changes.
   */
  readonly update: (gains?: Float32Array, options?: UpdateOptions) => Either.Either<void, InvalidInput>
  /**
   * The indices of the scores from `min` to `max`, both included and rounded to 32 bits, ascending. `InvalidInput` if
   * `min` exceeds `max`, or if one is NaN.
   */
  readonly inRange: (min: number, max: number) => Either.Either<Uint32Array, InvalidInput>
}

const MAX_CAPACITY = 2 ** 24

const MAX_FLOAT = 3.4028234663852886e38

const float = (field: string, value: number, least: number): Either.Either<number, InvalidInput> =>
  value >= least && value <= MAX_FLOAT
    ? // −0 becomes 0
      Either.right(Math.fround(value) + 0)
    : Either.left(
        new InvalidInput({ field, rule: `must be a 32-bit float${least === 0 ? " from 0" : ""}`, size: value })
      )

const over = ({ gains: resident, inRange, name, scores, update }: Kernel): Reputation => ({
  kernel: name,
  scores,
  gains: resident,
  update: (gains, { cap = 100, decay = 1, weight = 1 } = {}) =>
    Either.gen(function* () {
      const step = {
        decay: yield* float("decay", decay, 0),
        weight: gains === undefined ? 0 : yield* float("weight", weight, -MAX_FLOAT),
        cap: yield* float("cap", cap, 0)
      }
      if (gains !== undefined && gains !== resident) {
        if (gains.length !== scores.length) {
          const rule = `must have a gain for each of the ${scores.length} scores`
          return yield* Either.left(new InvalidInput({ field: "gains", rule, size: gains.length }))
        }
        resident.set(gains)
      }
      update(step)
    }),
  inRange: (min, max) =>
    min <= max
      ? Either.right(inRange(Math.fround(min), Math.fround(max)))
      : Either.left(new InvalidInput({ field: "min", rule: `must be a number up to max, ${max}`, size: min }))
})

/**
 * Makes scores of 0. `InvalidInput` for a capacity out of range. If WebAssembly or its memory is not available, typed
 * arrays hold the scores; their allocation throws if it fails.
 *
 * @example
 * ```ts
 * import * as Reputation from "@pod-protocol/effect/reputation/Reputation"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const reputation = yield* Reputation.make({ capacity: 1000 })
 *   reputation.gains[7] = 2.5
 *   yield* reputation.update(reputation.gains, { decay: 0.99 })
 *   return yield* reputation.inRange(1, 100) // Uint32Array [7]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ capacity }: Options): Either.Either<Reputation, InvalidInput> =>
  Either.map(Check.integer("capacity", capacity, 1, MAX_CAPACITY), (capacity) =>
    over(Option.getOrElse(Wasm.make(capacity), () => Portable.make(capacity)))
  )
