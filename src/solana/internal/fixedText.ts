/** What addresses, blockhashes and signatures have in common: a fixed number of bytes, written as base58. */
import * as Either from "effect/Either"
import { InvalidInput } from "../../InvalidInput.js"
import type { FixedBase58 } from "./base58Fixed.js"

/** The rule that `text` breaks when it is not `size` bytes of base58. */
export const rule = (size: number): string => `must be base58 of ${size} bytes`

/** Why a text is not `size` bytes of base58. */
export const refusal = (size: number, field: string, text: string): InvalidInput =>
  new InvalidInput({ field, rule: rule(size), size: typeof text === "string" ? text.length : undefined })

/** `text` under its brand, or why it can not bear it. */
export const parse =
  <A extends string>(size: number, is: (text: string) => text is A) =>
  (text: string, field: string): Either.Either<A, InvalidInput> =>
    is(text) ? Either.right(text) : Either.left(refusal(size, field, text))

/** Bytes of a text whose brand was checked before; a text that never was checked is a defect. */
export const bytesOf = (codec: FixedBase58, size: number, field: string, text: string): Uint8Array =>
  codec.decode(text) ?? defect(size, field, text)

const defect = (size: number, field: string, text: string): never => {
  throw refusal(size, field, text)
}
