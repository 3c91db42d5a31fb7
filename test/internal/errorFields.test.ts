import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as ErrorFields from "../../src/internal/errorFields.js"
import * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import { assertProperty } from "../support/runs.js"

const fields = {
  reason: Schema.Literal("Transport", "Timeout"),
  one: Schema.Literal("one"),
  text: SafeText.Schema(),
  short: Schema.optional(SafeText.Schema(4)),
  name: Schema.String,
  count: Schema.optional(Schema.Number),
  whole: Schema.optional(Schema.Int),
  amount: Schema.optional(Schema.BigIntFromSelf),
  wait: Schema.optional(Schema.DurationFromMillis),
  either: Schema.NullOr(Schema.String),
  list: Schema.optional(Schema.Array(SafeText.Schema())),
  data: Schema.optional(Outside.Value),
  cause: Schema.optional(Outside.Cause)
}

const check = ErrorFields.checkOf({
  _tag: "Model",
  identifier: "Model",
  fields: { _tag: Schema.Literal("Model"), ...fields }
})

/** Effect's own check, which decides. */
const oracle = Schema.validateEither(Schema.typeSchema(Schema.Struct(fields)))

const TEXTS = [
  "",
  "a",
  "Transport",
  "Timeout",
  "one",
  "longer than four",
  "a\u001b[2Jb",
  "a\r\nb",
  "\ud800",
  "é".repeat(600)
]

const texts = fc.constantFrom(...TEXTS)
const values = fc.oneof(
  texts,
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.array(texts),
  fc.constantFrom(undefined, null, true, Duration.seconds(1), new Error("cause"), new Error("a\u0000b"), Symbol("s")),
  fc.constantFrom({ a: 1 }, { deep: { text: "a\u001b[2Jb" } }, new Uint8Array(4), () => 1)
)

/** Valid fields, so that most cases are beyond the first check; one or two of them are replaced by any value. */
const valid = {
  reason: "Transport",
  one: "one",
  text: "text",
  name: "name",
  either: null
}

const props = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...Object.keys(fields), "_tag", "other"), values), { maxLength: 3 }),
    fc.nat(50)
  )
  .map(([changes, dropped]) => {
    const all: Record<string, unknown> = { ...valid, ...Object.fromEntries(changes) }
    const name = Object.keys(valid)[dropped]
    if (name !== undefined) delete all[name]
    return all
  })

const checked = (props: Record<string, unknown>): Either.Either<unknown, unknown> => {
  try {
    return Either.right(check(props))
  } catch (error) {
    return Either.left(error)
  }
}

describe("the fields of an error", () => {
  it("Given any values, When they are checked, Then the result is that of Effect's parser", async () => {
    await assertProperty(
      fc.property(props, (props) => {
        const expected = oracle(props)
        const found = checked(props)
        expect(Either.isRight(found)).toBe(Either.isRight(expected))
        if (Either.isRight(found)) expect(found.right).toEqual({ ...Either.getOrThrow(expected), _tag: "Model" })
      }),
      2000
    )
  })

  it("Given valid fields beside unknown ones, When they are checked, Then only the known ones are kept, and none that is undefined", () => {
    expect(check({ ...valid, count: undefined, message: "own", stack: "text" })).toStrictEqual({
      ...valid,
      _tag: "Model"
    })
  })

  it("Given a field that is cleaned beside one that is undefined, When they are checked, Then the second is left out", () => {
    expect(check({ ...valid, text: "a\u001b[2Jb", count: undefined, cause: undefined })).toStrictEqual({
      ...valid,
      text: "ab",
      _tag: "Model"
    })
  })

  it("Given an invalid field, When it is checked, Then the error names the class and the field", () => {
    expect(() => check({ ...valid, reason: "Other" })).toThrow(/Model \(Constructor\)[^]*"reason"/)
    expect(() => check({ ...valid, text: undefined })).toThrow(/"text"/)
  })
})
