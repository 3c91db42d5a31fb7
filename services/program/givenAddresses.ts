/**
 * Checks the addresses that a caller passes. A text that is not an address fails with `InvalidInput`, which names the
 * parameter.
 */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Addresses from "../../src/solana/Address.js"

/** Addresses by the names of their parameters. An optional parameter may be `undefined`. */
export type Given = { readonly [parameter: string]: Address | undefined }

const refusal = (given: Given): InvalidInput | undefined => {
  for (const parameter in given) {
    const address = given[parameter]
    const refused = address === undefined ? undefined : Addresses.check(address, parameter)
    if (refused !== undefined) return refused
  }
  return undefined
}

/** Fails if one of the texts is not an address. */
export const check = (given: Given): Effect.Effect<void, InvalidInput> => refusal(given) ?? Effect.void

/** Runs the effect if all addresses are valid. */
export const effect = <A, E, R>(
  given: Given,
  body: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E | InvalidInput, R> =>
  Effect.suspend((): Effect.Effect<A, E | InvalidInput, R> => refusal(given) ?? body())

/** Runs the Stream if all addresses are valid. */
export const stream = <A, E, R>(
  given: Given,
  body: () => Stream.Stream<A, E, R>
): Stream.Stream<A, E | InvalidInput, R> =>
  Stream.suspend((): Stream.Stream<A, E | InvalidInput, R> => {
    const refused = refusal(given)
    return refused === undefined ? body() : Stream.fail(refused)
  })
