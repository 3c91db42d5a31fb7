import * as Data from "effect/Data"

/** A process of the example did not start, or ended too early. */
export class ProcessError extends Data.TaggedError("ProcessError")<{
  readonly message: string
  readonly cause?: unknown
}> {}
