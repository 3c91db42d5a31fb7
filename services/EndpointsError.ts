/**
 * The error of endpoints that cannot be used.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import * as SafeText from "../src/SafeText.js"

/**
 * The endpoints cannot be used. The check runs at the start, before any call of the application.
 *
 * - `WrongGenesis`: the endpoint at `host` belongs to another cluster than the other endpoints, or than the `genesis`
 *   option names.
 * - `NoProgram`: the cluster of the endpoint at `host` does not have the program of the `program` option.
 * - `Unreachable`: no endpoint answered the check. `host` is the first endpoint, `cause` its failure.
 *
 * @since 0.1.0
 * @category errors
 */
export class EndpointsError extends printable(
  Schema.TaggedError<EndpointsError>("@pod-protocol/effect/EndpointsError")("EndpointsError", {
    reason: Schema.Literal("WrongGenesis", "NoProgram", "Unreachable"),
    /** Host (and port, if the URL has one) of the endpoint. */
    host: SafeText.Schema(),
    /** The result of the check, in one sentence. */
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  override get message(): string {
    return `${this.host}: ${this.detail}; ${ADVICE[this.reason]}`
  }

  /** Whether a new start may succeed: true for `Unreachable`. */
  get isRetryable(): boolean {
    return this.reason === "Unreachable"
  }
}

const ADVICE: Readonly<Record<EndpointsError["reason"], string>> = {
  WrongGenesis: "name endpoints of one cluster",
  NoProgram: "use a cluster that has it, or name the program of this one",
  Unreachable: "check the URLs and the network"
}
