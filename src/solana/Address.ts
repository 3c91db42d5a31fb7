/**
 * Addresses: 32 bytes (a public key or a program-derived address) as base58 text, under Kit's `Address` brand.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as EffectSchema from "effect/Schema"
import type { InvalidInput } from "../InvalidInput.js"
import { bytes32 } from "./internal/base58Fixed.js"
import { BoundedCache } from "../internal/BoundedCache.js"
import * as FixedText from "./internal/fixedText.js"

/**
 * Bytes in an address.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 32

/** Addresses in a generation of the cache: about 1 MB in all. A server's agents, programs and tables fit. */
const CACHED_ADDRESSES = 4096

const bytesByAddress = new BoundedCache<Address, Uint8Array>(CACHED_ADDRESSES)

/** The one place where bytes become the brand: text made from 32 bytes is an address. */
const brand = (text: string): Address => text as Address

/**
 * The address that the 32 bytes at `offset` (default 0) spell. The caller has checked that there are 32: missing
 * ones count as zeros.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBytes = (bytes: Uint8Array, offset = 0): Address => brand(bytes32.encode(bytes, offset))

/** Derived addresses in a generation of their cache: more than go into a batch between their derivation and their use. */
const CACHED_DERIVED = 128

const bytesByDerived = new BoundedCache<Address, Uint8Array>(CACHED_DERIVED)

/**
 * As {@link fromBytes}, for an address that was just derived, whose bytes are mostly asked for once, soon, and never
 * again: they are kept for a short time, and do not push others out of the cache. There must be 32 of them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromDerived = (digest: Uint8Array): Address => {
  const bytes = digest.slice(0, SIZE)
  const address = fromBytes(bytes)
  bytesByDerived.set(address, bytes)
  return address
}

const find = (address: Address): Uint8Array | undefined => {
  const known = bytesByAddress.get(address) ?? bytesByDerived.get(address)
  if (known !== undefined) return known
  const bytes = typeof address === "string" ? bytes32.decode(address) : undefined
  if (bytes !== undefined) bytesByAddress.set(address, bytes)
  return bytes
}

const refusal = (text: string, field: string): InvalidInput => FixedText.refusal(SIZE, field, text)

/**
 * The 32 bytes of an address. They come from a bounded cache and are shared by all callers: do not change them. A text
 * that was branded unchecked is a defect and throws `InvalidInput`: {@link parse} or {@link check} it first.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBytes = (address: Address): Uint8Array => {
  const bytes = find(address)
  if (bytes === undefined) throw refusal(address, "address")
  return bytes
}

/**
 * Why a text is no address, by the parameter that it was given for; undefined where it is one. For a text that bears the
 * brand and may not have earned it. The bytes of an address are remembered, so that {@link toBytes} finds them.
 *
 * @since 0.1.0
 * @category guards
 */
export const check = (text: Address, field: string): InvalidInput | undefined =>
  find(text) === undefined ? refusal(text, field) : undefined

/**
 * Whether the text is base58 of 32 bytes.
 *
 * @since 0.1.0
 * @category guards
 */
export const is = (text: string): text is Address => typeof text === "string" && bytes32.is(text)

/**
 * Checks that the text is an address; fails with `InvalidInput` on `field`, by default `address`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string, field = "address"): Either.Either<Address, InvalidInput> =>
  is(text) ? Either.right(text) : Either.left(refusal(text, field))

/**
 * The address that a literal in the source spells. A literal that spells none is a defect: it throws `InvalidInput`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const known = (text: string): Address => Either.getOrThrowWith(parse(text), (invalid) => invalid)

/**
 * An address in a model: base58 text in JSON, Kit's brand in memory. It makes an address of a text from outside.
 *
 * @example
 * import * as Address from "@pod-protocol/effect/solana/Address"
 * import * as Schema from "effect/Schema"
 *
 * export const recipient = Schema.decodeUnknown(Address.Schema)("9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu")
 *
 * @since 0.1.0
 * @category schemas
 */
export const Schema: EffectSchema.Schema<Address, string> = EffectSchema.String.pipe(
  EffectSchema.filter(is, {
    identifier: "Address",
    message: () => `an address ${FixedText.rule(SIZE)}`,
    arbitrary: () => (fc) => fc.uint8Array({ minLength: SIZE, maxLength: SIZE }).map((bytes) => fromBytes(bytes))
  })
)

/**
 * The System program: 32 zero bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const SYSTEM_PROGRAM: Address = fromBytes(new Uint8Array(SIZE))
