/**
 * Figures with a bound that they should stay below, and whether they do.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as Statistics from "./Statistics.js"

const text = (maxLength: number) => Schema.String.pipe(Schema.maxLength(maxLength))

/**
 * A figure with its bound.
 *
 * @since 0.1.0
 * @category models
 */
export const Target = Schema.Struct({
  name: text(200),
  /** The figure, with its 95 % interval. */
  measured: Schema.Struct({ value: Schema.Finite, low: Schema.Finite, high: Schema.Finite }),
  /** The bound. */
  below: Schema.Finite,
  /** The unit of the figure and of the bound, such as `ms`. */
  unit: text(30),
  /** The method of measurement, and remarks for the reader. */
  note: Schema.optionalWith(text(500), { exact: true })
})

/**
 * A figure with its bound.
 *
 * @since 0.1.0
 * @category models
 */
export type Target = typeof Target.Type

/**
 * Whether a target is met.
 *
 * - `Met`, `Missed`: the whole interval is below the bound, or none of it.
 * - `Undecided`: the bound is within the interval.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "Met" | "Missed" | "Undecided"

/**
 * Whether a target is met.
 *
 * @since 0.1.0
 * @category getters
 */
export const outcome = ({ below, measured: { high, low } }: Target): Outcome => {
  if (high < below) return "Met"
  return low >= below ? "Missed" : "Undecided"
}

/**
 * The target of an estimate.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  name: string,
  { high, low, value }: Statistics.Estimate,
  { below, note, unit }: { readonly below: number; readonly unit: string; readonly note?: string | undefined }
): Target => ({ name, measured: { value, low, high }, below, unit, ...(note === undefined ? {} : { note }) })
