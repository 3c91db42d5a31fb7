/**
 * Amounts of lamports (10^-9 SOL): a 64-bit unsigned integer, under Kit's `Lamports` brand.
 *
 * @since 0.1.0
 */
import type { Lamports } from "@solana/kit"
import * as Either from "effect/Either"
import * as EffectSchema from "effect/Schema"
import { InvalidInput } from "../InvalidInput.js"

/**
 * The largest amount that an account can hold: 2^64 - 1.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX = 0xffff_ffff_ffff_ffffn

/**
 * Lamports in one SOL.
 *
 * @since 0.1.0
 * @category constants
 */
export const PER_SOL = 1_000_000_000n

/**
 * Whether the amount is an unsigned 64-bit integer.
 *
 * @since 0.1.0
 * @category guards
 */
export const is = (amount: bigint): amount is Lamports => typeof amount === "bigint" && amount >= 0n && amount <= MAX

/**
 * Checks an amount; fails with `InvalidInput` on `field`, by default `lamports`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (amount: bigint, field = "lamports"): Either.Either<Lamports, InvalidInput> =>
  is(amount)
    ? Either.right(amount)
    : Either.left(new InvalidInput({ field, rule: "must be between 0 and 2^64 - 1 lamports", size: amount }))

/**
 * Lamports in a model: a decimal string in JSON, a bigint in memory.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Schema: EffectSchema.Schema<Lamports, string> = EffectSchema.BigInt.pipe(
  EffectSchema.filter(is, { identifier: "Lamports", message: () => "lamports must be between 0 and 2^64 - 1" })
)
