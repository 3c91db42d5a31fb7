/** Converts a failure to OpenTelemetry's conventions: the first error of a cause, without the causes of that error. */
import * as Cause from "effect/Cause"
import type { Shown } from "./Shown.js"

export interface Failure {
  readonly message: string
  readonly attributes: Record<string, string>
}

/** `undefined` for a cause without an error, such as an interruption. */
export const of = (cause: Cause.Cause<unknown>, { stack, text }: Shown): Failure | undefined => {
  const [error] = Cause.prettyErrors(cause)
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
