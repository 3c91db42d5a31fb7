/**
 * Checks that the decorators make of their options before any call.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../src/InvalidInput.js"

/** A number above zero; `Infinity` only where it means "no limit". */
export const positive = (
  field: string,
  value: number,
  limit: "finite" | "unlimited" = "finite"
): Effect.Effect<number, InvalidInput> =>
  value > 0 && (limit === "unlimited" || value < Infinity)
    ? Effect.succeed(value)
    : Effect.fail(
        new InvalidInput({ field, rule: `must be ${limit === "finite" ? "a finite number " : ""}above 0`, size: value })
      )

/** A whole number from `min` to `max`. */
export const integer = (
  field: string,
  value: number,
  min: number,
  max = Number.MAX_SAFE_INTEGER
): Effect.Effect<number, InvalidInput> =>
  Number.isInteger(value) && value >= min && value <= max
    ? Effect.succeed(value)
    : Effect.fail(new InvalidInput({ field, rule: `must be a whole number from ${min} to ${max}`, size: value }))

/** A finite duration above zero, in milliseconds. */
export const millis = (field: string, value: Duration.DurationInput): Effect.Effect<number, InvalidInput> =>
  positive(field, Duration.toMillis(value))
