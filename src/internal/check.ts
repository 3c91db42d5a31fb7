/**
 * Checks of numbers and names from callers. Each returns the value, or an `InvalidInput` that names the option and states the
 * rule.
 *
 * A caller without types may pass any value: a value that is not a number is refused like a number out of range.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { InvalidInput } from "../InvalidInput.js"

/** The largest 64-bit unsigned integer. */
export const MAX_U64 = 2n ** 64n - 1n

const refuse = (field: string, rule: string, value: unknown): Either.Either<never, InvalidInput> =>
  Either.left(
    new InvalidInput(
      typeof value === "number" || typeof value === "bigint" ? { field, rule, size: value } : { field, rule }
    )
  )

/** One of the `allowed` texts. */
export const oneOf = <A extends string>(
  field: string,
  value: A,
  allowed: ReadonlyArray<A>
): Either.Either<A, InvalidInput> =>
  allowed.includes(value) ? Either.right(value) : refuse(field, `must be one of: ${allowed.join(", ")}`, undefined)

/** A whole number from `min` to `max`. */
export const integer = (
  field: string,
  value: number,
  min: number,
  max = Number.MAX_SAFE_INTEGER
): Either.Either<number, InvalidInput> =>
  Number.isSafeInteger(value) && value >= min && value <= max
    ? Either.right(value)
    : refuse(
        field,
        max === Number.MAX_SAFE_INTEGER
          ? `must be a whole number of at least ${min}`
          : `must be a whole number from ${min} to ${max}`,
        value
      )

/** A list of at most `max` items, by its length. */
export const items = (field: string, length: number, max: number): Either.Either<number, InvalidInput> =>
  length <= max ? Either.right(length) : refuse(field, `must have at most ${max} items`, length)

/** A whole number from `min` to `max`, as a `bigint`. */
export const bigInteger = (
  field: string,
  value: bigint,
  min = 0n,
  max = MAX_U64
): Either.Either<bigint, InvalidInput> =>
  typeof value === "bigint" && value >= min && value <= max
    ? Either.right(value)
    : refuse(field, `must be a bigint from ${min} to ${max}`, value)

/** A number from `min` to `max`, whole or not. */
export const between = (field: string, value: number, min: number, max: number): Either.Either<number, InvalidInput> =>
  typeof value === "number" && value >= min && value <= max
    ? Either.right(value)
    : refuse(field, `must be a number from ${min} to ${max}`, value)

/** A number above zero; `Infinity` only where it means "no limit". */
export const positive = (
  field: string,
  value: number,
  limit: "finite" | "unlimited" = "finite"
): Either.Either<number, InvalidInput> =>
  typeof value === "number" && value > 0 && (limit === "unlimited" || value < Infinity)
    ? Either.right(value)
    : refuse(field, `must be a ${limit === "finite" ? "finite " : ""}number above 0`, value)

/** A duration above zero, in milliseconds; `Infinity` only where it means "no limit". */
export const millis = (
  field: string,
  value: Duration.DurationInput,
  limit: "finite" | "unlimited" = "finite"
): Either.Either<number, InvalidInput> =>
  Option.match(Duration.decodeUnknown(value), {
    onNone: () => refuse(field, "must be a duration, such as 500 or '2 seconds'", undefined),
    onSome: (duration) => positive(field, Duration.toMillis(duration), limit)
  })

/** A duration of `min` to `max` milliseconds, in milliseconds. */
export const millisBetween = (
  field: string,
  value: Duration.DurationInput,
  min: number,
  max: number
): Either.Either<number, InvalidInput> =>
  Either.flatMap(millis(field, value, "unlimited"), (duration) =>
    duration >= min && duration <= max
      ? Either.right(duration)
      : refuse(field, `must be a duration from ${min} to ${max} milliseconds`, duration)
  )

/**
 * Prefixes the field of an `InvalidInput` with the path of the enclosing option: `baseDelay` becomes `retry.baseDelay`.
 */
export const under =
  (path: string) =>
  <A, E, R>(effect: Effect.Effect<A, E | InvalidInput, R>): Effect.Effect<A, E | InvalidInput, R> =>
    Effect.mapError(effect, (error) =>
      error instanceof InvalidInput ? new InvalidInput({ ...error, field: `${path}.${error.field}` }) : error
    )
