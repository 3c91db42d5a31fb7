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
 * Found at the start, before any call.
 *
 * - `WrongGenesis`: the endpoint at `host` is of another cluster than the others, or than the one asked for.
 * - `NoProgram`: the cluster of the endpoint at `host` does not have the program that was asked for.
 * - `Unreachable`: no endpoint said which cluster it is of. `host` is the first, `cause` its failure.
 *
 * @since 0.1.0
 * @category errors
 */
export class EndpointsError extends printable(
  Schema.TaggedError<EndpointsError>("@pod-protocol/effect/EndpointsError")("EndpointsError", {
    reason: Schema.Literal("WrongGenesis", "NoProgram", "Unreachable"),
    /** Host (and port, where the URL names one) of the endpoint. */
    host: SafeText.Schema(),
    /** What was found, in one sentence. */
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  override get message(): string {
    return `${this.host}: ${this.detail}; ${ADVICE[this.reason]}`
  }

  /** Whether starting again may work. */
  get isRetryable(): boolean {
    return this.reason === "Unreachable"
  }
}

const ADVICE: Readonly<Record<EndpointsError["reason"], string>> = {
  WrongGenesis: "name endpoints of one cluster",
  NoProgram: "use a cluster that has it, or name the program of this one",
  Unreachable: "check the URLs and the network"
}
