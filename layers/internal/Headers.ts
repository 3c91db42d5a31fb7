/** Headers that an application adds to every request. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Url from "./Url.js"

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/

/** Validates the headers and returns their values. No error contains a value. */
export const make = (
  headers: { readonly [name: string]: Url.Secret } = {}
): Either.Either<Record.ReadonlyRecord<string, string>, InvalidInput> => {
  const values = Record.filterMap(headers, (value) => Option.fromNullable(Url.textOf(value)))
  const areTexts = Record.size(values) === Record.size(headers)
  return areTexts && Object.entries(values).every(([name, value]) => TOKEN.test(name) && TEXT.test(value))
    ? Either.right(values)
    : Either.left(new InvalidInput({ field: "headers", rule: "must be HTTP header names and values" }))
}
