/**
 * Addresses: 32 bytes (a public key or a program-derived address) as base58 text, under Kit's `Address` brand.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as EffectSchema from "effect/Schema"
import { BoundedCache } from "../internal/BoundedCache.js"
import type { InvalidInput } from "../InvalidInput.js"
import { bytes32 } from "./internal/base58Fixed.js"
import * as FixedText from "./internal/fixedText.js"

/**
 * Bytes in an address.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 32

/**
 * Addresses in one generation of the cache: about 1 MB for both generations. This holds a server's agents, programs and
 * tables.
 */
const CACHED_ADDRESSES = 4096

const bytesByAddress = new BoundedCache<string, Uint8Array>(CACHED_ADDRESSES)

/** The only place that applies the brand: text encoded from 32 bytes is an address. */
const brand = (text: string): Address => text as Address

/**
 * Encodes the 32 bytes at `offset` (default 0). The caller has checked that there are 32; missing bytes count as zeros.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBytes = (bytes: Uint8Array, offset = 0): Address => brand(bytes32.encode(bytes, offset))

/** Derived addresses in one generation of their cache: more than a batch derives before it uses them. */
const CACHED_DERIVED = 128

const bytesByDerived = new BoundedCache<string, Uint8Array>(CACHED_DERIVED)

/**
 * As {@link fromBytes}, for a newly derived address. Its bytes are usually needed once, soon after. A small separate
 * cache keeps them, so they do not evict other addresses. `digest` must have 32 bytes.
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

const find = (address: unknown): Uint8Array | undefined => {
  if (typeof address !== "string") return undefined
  const known = bytesByAddress.get(address) ?? bytesByDerived.get(address)
  if (known !== undefined) return known
  const bytes = bytes32.decode(address)
  if (bytes !== undefined) bytesByAddress.set(address, bytes)
  return bytes
}

const refusal = (text: unknown, field: string): InvalidInput => FixedText.refusal(SIZE, field, text)

/**
 * The 32 bytes of an address. All callers share the cached array: do not change it. A text that got the brand without a
 * check is a defect and throws `InvalidInput` on `field`, by default `address`; use {@link parse} or {@link check} first.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBytes = (address: Address, field = "address"): Uint8Array => {
  const bytes = find(address)
  if (bytes === undefined) throw refusal(address, field)
  return bytes
}

/**
 * As {@link toBytes}, but returns a new array and caches nothing. For addresses that are read once, such as those of a
 * long list: in the cache they would take the place of addresses in use.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBytesOnce = (address: Address, field = "address"): Uint8Array => {
  const bytes = bytes32.decode(address)
  if (bytes === undefined) throw refusal(address, field)
  return bytes
}

/**
 * Checks a value that has the brand but may be invalid. Returns `InvalidInput` on `field`, or `undefined` if the value is
 * an address. Caches the bytes for {@link toBytes}.
 *
 * @since 0.1.0
 * @category guards
 */
export const check = (address: unknown, field: string): InvalidInput | undefined =>
  find(address) === undefined ? refusal(address, field) : undefined

/**
 * Whether the text is base58 of 32 bytes.
 *
 * @since 0.1.0
 * @category guards
 */
export const is = (text: string): text is Address => bytes32.is(text)

/**
 * Checks that the text is an address; fails with `InvalidInput` on `field`, by default `address`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string, field = "address"): Either.Either<Address, InvalidInput> =>
  is(text) ? Either.right(text) : Either.left(refusal(text, field))

/**
 * Converts a literal in the source, or a text that was an address before, to an address. Throws `InvalidInput`, as a
 * defect, if it is not an address. Caches the bytes for {@link toBytes}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const known = (text: string): Address => {
  if (find(text) === undefined) throw refusal(text, "address")
  return brand(text)
}

/**
 * An address in a model: base58 text in JSON, Kit's brand in memory. Decoding checks text from outside.
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
