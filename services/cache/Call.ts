/**
 * What one read asks of the cache.
 *
 * @since 0.1.0
 */
import type { Slot } from "@solana/kit"
import * as Context from "effect/Context"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Options from "./Options.js"

/**
 * The options of one read.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /** Default: the cache's, for the kind. */
  readonly policy?: Options.Policy | undefined
  /** Only an account of this slot or later. Default 0. A slot that no endpoint reaches ends in `RpcError`. */
  readonly minSlot?: Slot | undefined
  /**
   * `allow` gives an old account where the network fails: of any age, and also one that was invalidated. Its `slot` and
   * `readAt` say how old it is. Default `refuse`.
   */
  readonly stale?: "allow" | "refuse" | undefined
}

const NONE: CallOptions = {}

/** The options of the reads of an effect. */
export class CurrentCall extends Context.Reference<CurrentCall>()("@pod-protocol/effect/Cache/Call", {
  defaultValue: (): CallOptions => NONE
}) {}

/** The options of a fiber's reads. */
export const of = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): CallOptions => Context.get(fiber.currentContext, CurrentCall)

/** The options, where a caller without types gave sound ones. */
export const check = (options: CallOptions): Either.Either<CallOptions, InvalidInput> => {
  const { minSlot, policy, stale } = options
  if (stale !== undefined && stale !== "allow" && stale !== "refuse") {
    return Either.left(new InvalidInput({ field: "stale", rule: "must be allow or refuse" }))
  }
  const checked: Either.Either<unknown, InvalidInput> =
    policy === undefined ? Either.right(policy) : Options.policy("policy", policy)
  return checked.pipe(
    Either.flatMap(() => (minSlot === undefined ? Either.right(0n) : Check.bigInteger("minSlot", minSlot))),
    Either.map(() => options)
  )
}
