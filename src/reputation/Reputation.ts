/**
 * Scores of many agents, which grow by what the agents do and decay with time. They live in WebAssembly's memory, where a
 * SIMD kernel updates four at a time.
 *
 * The protocol's `reputation` is a number that the program sets, 100 for all today. These scores are an application's own.
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
  /** How many scores: a whole number from 1 to 16,777,216. Each takes 12 bytes. It never changes. */
  readonly capacity: number
}

/**
 * How scores change. Each number is rounded to 32 bits.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateOptions {
  /**
   * By what each score is multiplied, from 0. Default 1. Below 1, old merits fade: 0.99 a day halves them in 69 days. Too
   * low: only the latest gains count. Too high: scores reach the cap and stay there.
   */
  readonly decay?: number | undefined
  /** By what each gain is multiplied: a finite number. Default 1. Negative: gains become losses. */
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
  /** What computes: `simd` and `scalar` are WebAssembly. All three give the same bits. */
  readonly kernel: "simd" | "scalar" | "js"
  /** The scores by index, 0 at first: a view of the memory, of `capacity` floats. Write to it to set scores. */
  readonly scores: Float32Array
  /** A view of the memory for gains, of `capacity` floats. An update with these copies nothing. */
  readonly gains: Float32Array
  /**
   * Sets each score to `score · decay + gain · weight`, from 0 to `cap`. Without `gains`, scores only decay. A gain that
   * is not a number counts as 0. A score that is none, or falls below 2⁻¹²⁶, becomes 0. `InvalidInput` for gains of another length than the
   * scores, and for options out of range; then nothing changes.
   */
  readonly update: (gains?: Float32Array, options?: UpdateOptions) => Either.Either<void, InvalidInput>
  /**
   * The indices of the scores from `min` to `max`, both included and rounded to 32 bits, ascending. `InvalidInput` if
   * `min` exceeds `max`, or one is not a number.
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
 * Scores of 0. `InvalidInput` for a capacity out of range. Memory that the platform does not have is taken from
 * JavaScript's own arrays, where an allocation that fails throws.
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
