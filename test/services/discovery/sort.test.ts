import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { KeyColumn } from "../../../services/discovery/KeyColumn.js"
import { byTexts, byWords } from "../../../services/discovery/sort.js"
import { TextColumn } from "../../../services/discovery/TextColumn.js"
import { assertProperty } from "../../support/runs.js"

const run = <A>(steps: Generator<void, A>): A => {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

const keys = FastCheck.oneof(
  FastCheck.bigInt({ min: -3n, max: 3n }),
  FastCheck.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
)

const textsOf = (texts: ReadonlyArray<string>): TextColumn => {
  const column = new TextColumn()
  for (const [row, text] of texts.entries()) column.set(row, text)
  return column
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

describe("sort", () => {
  it("Given any 64-bit keys, When rows are sorted by them, Then the highest is first and equal ones keep their order", () =>
    assertProperty(
      FastCheck.property(FastCheck.array(keys, { maxLength: 60 }), (values) => {
        const column = new KeyColumn()
        for (const [row, value] of values.entries()) column.set(row, value)
        const rows = Uint32Array.from(values, (_, row) => values.length - 1 - row)
        const order = Array.from(rows).toSorted((a, b) => {
          const difference = (values[b] ?? 0n) - (values[a] ?? 0n)
          return difference < 0n ? -1 : difference > 0n ? 1 : 0
        })
        assert.deepStrictEqual(Array.from(run(byWords(rows, column.descending))), order)
      })
    ))

  it("Given any texts, When rows are sorted by them, Then they are in the order of the texts", () =>
    assertProperty(
      FastCheck.property(
        FastCheck.uniqueArray(
          FastCheck.oneof(
            FastCheck.string(),
            FastCheck.string({ unit: FastCheck.constantFrom("a", "b", "\u007f", "é"), maxLength: 12 })
          ),
          { maxLength: 60 }
        ),
        (texts) => {
          const order = run(byTexts(texts.length, textsOf(texts), (row) => texts[row] ?? ""))
          assert.deepStrictEqual(
            Array.from(order, (row) => texts[row]),
            texts.toSorted(byText)
          )
        }
      )
    ))

  it("Given thousands of texts with one beginning, When rows are sorted, Then they are in order", () => {
    const texts = Array.from(
      { length: 20_000 },
      (_, n) => `${n % 3 === 0 ? "hostile" : ""}hostile${(n * 7919) % 20_000}`
    )
    const order = run(byTexts(texts.length, textsOf(texts), (row) => texts[row] ?? ""))
    assert.deepStrictEqual(
      Array.from(order, (row) => texts[row]),
      texts.toSorted(byText)
    )
  })
})
