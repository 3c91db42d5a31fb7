/** Shared code of addresses, blockhashes and signatures: a fixed number of bytes as base58 text. */
import * as Either from "effect/Either"
import { InvalidInput } from "../../InvalidInput.js"
import type { FixedBase58 } from "./base58Fixed.js"

/** The rule for a text of `size` bytes. */
export const rule = (size: number): string => `must be base58 of ${size} bytes`

/** The error for a text that is not base58 of `size` bytes. */
export const refusal = (size: number, field: string, text: unknown): InvalidInput =>
  new InvalidInput({ field, rule: rule(size), size: typeof text === "string" ? text.length : undefined })

/** Returns `text` with its brand, or the error. */
export const parse =
  <A extends string>(size: number, is: (text: string) => text is A) =>
  (text: string, field: string): Either.Either<A, InvalidInput> =>
    is(text) ? Either.right(text) : Either.left(refusal(size, field, text))

/** The bytes of a checked text. An invalid text is a defect and throws. */
export const bytesOf = (codec: FixedBase58, size: number, field: string, text: string): Uint8Array =>
  codec.decode(text) ?? defect(size, field, text)

const defect = (size: number, field: string, text: string): never => {
  throw refusal(size, field, text)
}
