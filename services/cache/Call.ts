/**
 * The options of one read through the cache.
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
  /** The policy of the read. Default: the cache's policy for the kind of account. */
  readonly policy?: Options.Policy | undefined
  /** Lowest slot of the returned account. Default 0. A slot that no endpoint reaches fails with `RpcError`. */
  readonly minSlot?: Slot | undefined
  /**
   * `allow` returns an old account if the network fails: of any age, and even an invalidated one. Its `slot` and
   * `readAt` show its age. Default `refuse`.
   */
  readonly stale?: "allow" | "refuse" | undefined
}

const NONE: CallOptions = {}

/** The options of all reads of an effect. */
export class CurrentCall extends Context.Reference<CurrentCall>()("@pod-protocol/effect/Cache/Call", {
  defaultValue: (): CallOptions => NONE
}) {}

/** The options of a fiber's reads. */
export const of = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): CallOptions => Context.get(fiber.currentContext, CurrentCall)

/** Checks the options of a caller without types. */
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
