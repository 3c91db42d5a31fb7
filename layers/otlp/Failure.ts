/** Converts a failure to OpenTelemetry's conventions: the first error of a cause, without the causes of that error. */
import * as Cause from "effect/Cause"
import * as Either from "effect/Either"
import * as Outside from "../../src/internal/Outside.js"
import type { Shown } from "./Shown.js"

export interface Failure {
  readonly message: string
  readonly attributes: Record<string, string>
}

/** The name, the message and the stack of the first error; `undefined` without one. */
const firstOf = (cause: Cause.Cause<unknown>) => {
  const [error] = Cause.prettyErrors(cause)
  return error && { name: String(error.name), message: String(error.message), stack: error.stack }
}

/** Effect cannot describe each value: JSON holds no bigint, and a getter may throw. */
const undescribed = (cause: Cause.Cause<unknown>) => ({
  name: "Error",
  message: JSON.stringify(Outside.value(Cause.squash(cause))),
  stack: undefined
})

/** `undefined` for a cause without an error, such as an interruption. Never throws. */
export const of = (cause: Cause.Cause<unknown>, { stack, text }: Shown): Failure | undefined => {
  const error = Either.getOrElse(
    Either.try(() => firstOf(cause)),
    () => undescribed(cause)
  )
  if (error === undefined) return undefined
  const message = text(error.message)
  return {
    message,
    attributes: {
      "exception.type": text(error.name),
      "exception.message": message,
      ...(error.stack === undefined ? {} : { "exception.stacktrace": stack(error.stack) })
    }
  }
}
