/**
 * Program-derived addresses: the addresses at which programs keep their accounts.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { InvalidInput } from "../InvalidInput.js"
import * as Addresses from "./Address.js"
import { kernel } from "./internal/kernel.js"
import { MARKER } from "./internal/programAddressMarker.js"

/**
 * A derived address and its bump seed.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramAddress {
  readonly address: Address
  /** Canonical bump: the largest value of 1 to 255 that gives an address off the curve. */
  readonly bump: number
}

/**
 * Maximum length of a seed, in bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_SEED_BYTES = 32

/**
 * Maximum number of seeds, the bump seed included.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_SEEDS = 16

/** Returns the rule that the seeds break, if any. */
const refusal = (seeds: ReadonlyArray<Uint8Array>, maxSeeds: number): InvalidInput | undefined => {
  if (seeds.length > maxSeeds) {
    return new InvalidInput({ field: "seeds", rule: `must be at most ${maxSeeds}`, size: seeds.length })
  }
  for (let i = 0; i < seeds.length; i++) {
    const size = seeds[i]?.length ?? 0
    if (size > MAX_SEED_BYTES) {
      return new InvalidInput({ field: `seeds[${i}]`, rule: `must be at most ${MAX_SEED_BYTES} bytes`, size })
    }
  }
  return undefined
}

/**
 * Finds the address of `program` for the seeds. It tries bump seeds from 255 down and takes the first address off the
 * curve. About every second bump succeeds.
 *
 * Fails with `InvalidInput` for more than 15 seeds, because the bump is the sixteenth. It also refuses a seed of over 32
 * bytes, and a `program` that is not an address.
 *
 * @example
 * import * as Address from "@pod-protocol/effect/solana/Address"
 * import * as ProgramAddress from "@pod-protocol/effect/solana/ProgramAddress"
 *
 * const program = Address.known("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps")
 * const found = ProgramAddress.find([new TextEncoder().encode("agent"), new Uint8Array(32)], program)
 *
 * @since 0.1.0
 * @category constructors
 */
export const find = (
  seeds: ReadonlyArray<Uint8Array>,
  program: Address
): Either.Either<ProgramAddress, InvalidInput> => {
  const refused = refusal(seeds, MAX_SEEDS - 1) ?? Addresses.check(program, "program")
  if (refused !== undefined) return Either.left(refused)
  const { digest, findBump } = kernel()
  const bump = findBump(seeds, Addresses.toBytes(program))
  return bump === 0
    ? Either.left(new InvalidInput({ field: "seeds", rule: "must have a bump that leaves the curve" }))
    : Either.right({ address: Addresses.fromDerived(digest), bump })
}

/**
 * As {@link find}, for seeds that the caller knows to be valid. Invalid seeds are a defect and throw.
 *
 * @since 0.1.0
 * @category constructors
 */
export const findUnsafe = (seeds: ReadonlyArray<Uint8Array>, program: Address): ProgramAddress =>
  Either.getOrThrowWith(find(seeds, program), (invalid) => invalid)

/**
 * The address for exactly these seeds; the bump, if any, is one of them. Returns `None` for an address that the runtime
 * would refuse. Such an address is on the curve, or has over 16 seeds, or a seed of over 32 bytes. A `program` that is
 * not an address is a defect and throws `InvalidInput`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const create = (seeds: ReadonlyArray<Uint8Array>, program: Address): Option.Option<Address> => {
  if (refusal(seeds, MAX_SEEDS) !== undefined) return Option.none()
  const { isOnCurve, sha256 } = kernel()
  const hash = sha256([...seeds, Addresses.toBytes(program, "program"), MARKER])
  return isOnCurve(hash) ? Option.none() : Option.some(Addresses.fromBytes(hash))
}
