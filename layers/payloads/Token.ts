/** Checks a client's token for a payload server. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Url from "../internal/Url.js"

/** The characters that `Authorization: Bearer` allows (RFC 6750). */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

const MAX_LENGTH = 4096

/** The token of a payload server. */
export const make = (field: string, secret: Url.Secret): Either.Either<Redacted.Redacted, InvalidInput> => {
  const text = Url.textOf(secret)
  return text !== undefined && text.length <= MAX_LENGTH && TOKEN.test(text)
    ? Either.right(Redacted.make(text))
    : Either.left(new InvalidInput({ field, rule: "must be letters, digits and - . _ ~ + / with = at the end" }))
}
