/**
 * Checks the addresses of a builder's input. A text that is not an address gives `InvalidInput` with the member's name.
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import type { InvalidInput } from "../../InvalidInput.js"
import * as Addresses from "../../solana/Address.js"

/** The members of an input that hold an address. */
type AddressNames<Input> = {
  [Name in keyof Input]-?: [Extract<Input[Name], Address>] extends [never] ? never : Name
}[keyof Input]

/** `optional` and `derivable` may be omitted; `derivable` may also be a boolean: whether to derive the address. */
type Presence = "required" | "optional" | "derivable"

/** All addresses of an input, by their names. */
export type Rules<Input> = { readonly [_ in AddressNames<Input>]: Presence }

const refusal = (input: object, rules: ReadonlyArray<readonly [name: string, Presence]>, path: string) => {
  for (const [name, presence] of rules) {
    const value: unknown = Reflect.get(input, name)
    if (value === undefined && presence !== "required") continue
    if (typeof value === "boolean" && presence === "derivable") continue
    const refused = Addresses.check(value, `${path}${name}`)
    if (refused !== undefined) return refused
  }
  return undefined
}

/** Runs the builder if all addresses of its input are valid. `path` precedes their names, as in `compression.`. */
export const checked = <Input extends object, A>(
  rules: Rules<Input>,
  build: (input: Input) => Either.Either<A, InvalidInput>,
  path = ""
): ((input: Input) => Either.Either<A, InvalidInput>) => {
  const entries = Object.entries<Presence>(rules)
  return (input) => {
    const refused = refusal(input, entries, path)
    return refused === undefined ? build(input) : Either.left(refused)
  }
}
