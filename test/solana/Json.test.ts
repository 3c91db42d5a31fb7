import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Json from "../../src/solana/Json.js"
import { assertProperty } from "../support/runs.js"

const parse = (text: string): unknown => Either.getOrThrow(Json.parse(text))

/** Strings that look like what a careless reader would touch. */
const trickyString = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "18446744073709551615",
    ", 18446744073709551615, ",
    '"18446744073709551615',
    "\\",
    '\\"',
    ":18446744073709551615,",
    "#n1",
    "#s#n1",
    "##",
    "\u0000",
    "__proto__"
  )
)

const large = fc.oneof(
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n }),
  fc.bigInt({ min: -(2n ** 64n), max: -(2n ** 53n) })
)

/** Doubles whose text is not that of a large integer. */
const fraction = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value))

const { value: document } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    trickyString,
    large,
    fraction,
    fc.maxSafeInteger(),
    fc.constantFrom(null, true, false),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(trickyString, tie("value"), { maxKeys: 5 })
  )
}))

/** A text whose middle is long: most are almost wholly one string, and some look like it. */
const longText = fc
  .record({
    head: fc.constantFrom(
      '["',
      '{"a":"',
      '{"a":18446744073709551615,"b":["',
      '"',
      '{"',
      '["x",',
      '["\\"',
      '["\uE000","',
      '["\\uE000","',
      '[1,2"',
      "",
      "["
    ),
    unit: fc.constantFrom("A", "1", " ", "é", "\n", "\\", '\\"', '","', "\uE000", "[", "\u0000"),
    tail: fc.constantFrom('"]', '"}', '","base64"]}', '"', '":1}', '","\uE000"]', "]", '"x"]', "", '","\\n"]')
  })
  .map(({ head, tail, unit }) => `${head}${unit.repeat(Math.ceil((64 * 1024) / unit.length))}${tail}`)

/** What texts near the border between JSON and not are made of. */
const pieces = [
  ...'"\\.-e5[]{},: \n0x',
  "#n1",
  '"a"',
  '"#"',
  "\\u0023",
  "null",
  "18446744073709551615",
  "9007199254740993"
]

const rounded = (_: string, value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value)

describe("Json", () => {
  it("Given any document with large integers, When written and read, Then nothing is lost", async () => {
    await assertProperty(
      fc.property(document, (document) => {
        const text = Json.stringify(document)
        const expected = typeof document === "number" && Object.is(document, -0) ? 0 : document
        expect(Json.stringify(parse(text))).toBe(text)
        if (typeof expected !== "object") expect(parse(text)).toBe(expected)
      })
    )
  })

  it("Given a document, When spread over lines, Then it reads the same", async () => {
    await assertProperty(
      fc.property(fc.array(fc.oneof(large, trickyString)), (items) => {
        const text = `[\n  ${items.map((item) => Json.stringify(item)).join(" ,\r\n\t")}\n]`
        expect(parse(text)).toStrictEqual(items)
      })
    )
  })

  it("Given any JSON, When read and written, Then both are what the platform does, but for the precision", async () => {
    await assertProperty(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value)
        expect(JSON.stringify(parse(text), rounded)).toBe(text)
        expect(Json.stringify(value)).toBe(text)
      })
    )
  })

  it("Given any text, When read, Then it fails typed exactly when the platform refuses it", async () => {
    await assertProperty(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (pieces) => {
        const text = pieces.join("")
        const native = Either.try((): unknown => JSON.parse(text))
        const ours = Json.parse(text)
        expect(Either.isRight(ours)).toBe(Either.isRight(native))
        if (Either.isLeft(ours)) expect(ours).toMatchObject({ left: { _tag: "JsonError", size: text.length } })
        // Large integers aside, the values agree: a bigint rounds to what the platform made of it.
        else expect(JSON.stringify(ours.right, rounded)).toBe(JSON.stringify(Either.getOrThrow(native)))
      })
    )
  })

  it.each([
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740991", -9007199254740991],
    ["-9007199254740992", -9007199254740992n],
    ["18446744073709551615", 18446744073709551615n],
    ["0.12345678901234567890", 0.12345678901234568],
    ["12345678901234567890.5", 12345678901234567000],
    ["12345678901234567890e1", 123456789012345680000],
    ["9".repeat(1000), 10n ** 1000n - 1n],
    ["9".repeat(1001), Number.POSITIVE_INFINITY],
    ["1e400", Number.POSITIVE_INFINITY],
    ["1e-1234567890123456789", 0],
    ["1E+0000000000000000002", 100],
    ["-0", -0],
    ['"12345678901234567890"', "12345678901234567890"]
  ])("Given %s, When read, Then it is the exact integer or what the platform reads", (text, expected) => {
    expect(parse(text)).toBe(expected)
    expect(parse(`[${text}]`)).toStrictEqual([expected])
    expect(parse(` {"a" : ${text} , "b":18446744073709551615}`)).toStrictEqual({
      a: expected,
      b: 18446744073709551615n
    })
  })

  it("Given a member called __proto__, When read, Then it is a plain member", () => {
    const value = parse('{"__proto__":18446744073709551615,"a":{"__proto__":{"x":1}}}')
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Json.stringify(value)).toBe('{"__proto__":18446744073709551615,"a":{"__proto__":{"x":1}}}')
  })

  it("Given a million nested arrays around a large integer, When read, Then the stack holds", () => {
    const depth = 1_000_000
    const text = `${"[".repeat(depth)}18446744073709551615${"]".repeat(depth)}`
    expect(Either.isRight(Json.parse(text))).toBe(true)
    expect(Either.isLeft(Json.parse(text.slice(0, -1)))).toBe(true)
  })

  it("Given values that JSON has no word for, When written, Then the text is the platform's", () => {
    const value = {
      a: undefined,
      b: [undefined, () => 1, Symbol("s"), Number.NaN],
      c: new Date(0),
      d: { toJSON: (key: string) => `${key}!` },
      e: Object.create({ inherited: 1 }),
      f: new Map([[1, 2]])
    }
    expect(Json.stringify(value)).toBe(JSON.stringify(value))
    expect(Json.stringify({ n: [1n, { m: -(2n ** 70n) }] })).toBe('{"n":[1,{"m":-1180591620717411303424}]}')
    expect(Json.stringify(undefined)).toBe("null")
  })

  it("Given a long text that is almost one string, When parsed, Then the value is that of JSON.parse, or none", async () => {
    await assertProperty(
      fc.property(longText, (text) => {
        const expected = Either.try((): unknown => JSON.parse(text))
        const actual = Json.parse(text)
        expect(Either.isRight(actual)).toBe(Either.isRight(expected))
        if (Either.isLeft(expected) || Either.isLeft(actual) || text.includes("18446744073709551615")) return
        expect(JSON.stringify(actual.right) === JSON.stringify(expected.right)).toBe(true)
      })
    )
  })

  it("Given a large integer before a long string, When parsed, Then both are exact", () => {
    const long = "A".repeat(100_000)
    const value = parse(`{"a":18446744073709551615,"__proto__":["${long}","base64"]}`)
    expect(Object.entries(Object(value))).toStrictEqual([
      ["a", 18446744073709551615n],
      ["__proto__", [long, "base64"]]
    ])
  })
})
