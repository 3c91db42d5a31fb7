import { readFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { fileOf, modules, render } from "../../scripts/build-wasm.js"
import * as Portable from "../../src/reputation/internal/kernelPortable.js"
import * as Wasm from "../../src/reputation/internal/kernelWasm.js"
import * as Reputation from "../../src/reputation/Reputation.js"
import { assertProperty } from "../support/runs.js"

/** A float of any bits: infinities, NaNs, subnormals, −0. */
const float = FastCheck.oneof(
  FastCheck.float(),
  FastCheck.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** -149, -(2 ** -149), 2 ** -126, 3.4028234663852886e38)
)

const finite = FastCheck.float({ noNaN: true, noDefaultInfinity: true })

const positive = FastCheck.float({ noNaN: true, noDefaultInfinity: true, min: 0 })

const cases = FastCheck.integer({ min: 1, max: 67 }).chain((length) =>
  FastCheck.record({
    scores: FastCheck.array(float, { minLength: length, maxLength: length }),
    gains: FastCheck.array(float, { minLength: length, maxLength: length }),
    step: FastCheck.record({ decay: positive, weight: finite, cap: positive }),
    range: FastCheck.tuple(float, float)
  })
)

const bitsOf = (floats: Float32Array): ReadonlyArray<number> =>
  Array.from(new Uint32Array(floats.buffer, floats.byteOffset, floats.length))

describe("Reputation", () => {
  it("Given any bits in scores and gains, When they are updated twice and searched, Then all kernels give the same bits", async () => {
    await assertProperty(
      FastCheck.property(cases, ({ gains, range: [min, max], scores, step }) => {
        const [js, ...others] = [
          Portable.make(scores.length),
          Option.getOrThrow(Wasm.make(scores.length)),
          Option.getOrThrow(Wasm.makeScalar(scores.length))
        ].map((kernel) => {
          kernel.scores.set(scores)
          kernel.gains.set(gains)
          kernel.update(step)
          kernel.update(step)
          return { scores: bitsOf(kernel.scores), found: Array.from(kernel.inRange(min, max)) }
        })
        for (const other of others) expect(other).toEqual(js)
        for (const score of js?.scores ?? []) expect(score >>> 31, "no score is negative").toBe(0)
      })
    )
  })

  it("Given this platform, Then the kernel is the one with SIMD", () => {
    expect(Either.map(Reputation.make({ capacity: 1 }), ({ kernel }) => kernel)).toEqual(Either.right("simd"))
  })

  it("Given scores and gains, When a day passes, Then they decay, grow and stay from 0 to the cap", () => {
    const reputation = Either.getOrThrow(Reputation.make({ capacity: 4 }))
    reputation.scores.set([50, 0, 99, 1])
    expect(reputation.update(Float32Array.of(2, 3, 8, -5), { decay: 0.5, weight: 2 })).toEqual(Either.void)
    expect(Array.from(reputation.scores)).toEqual([29, 6, 65.5, 0])
    reputation.gains.fill(100)
    expect(reputation.update(reputation.gains, { cap: 80 })).toEqual(Either.void)
    expect(Array.from(reputation.scores)).toEqual([80, 80, 80, 80])
  })

  it("Given no gains, When scores are updated, Then they are multiplied, whatever is left of earlier gains", () => {
    const reputation = Either.getOrThrow(Reputation.make({ capacity: 17 }))
    reputation.scores.fill(10)
    reputation.gains.set([5, Infinity, NaN])
    expect(reputation.update(undefined, { decay: 1.5 })).toEqual(Either.void)
    expect(new Set(reputation.scores)).toEqual(new Set([15]))
  })

  it("Given a score that only decays, When it falls below the smallest normal float, Then it is 0", () => {
    const reputation = Either.getOrThrow(Reputation.make({ capacity: 1 }))
    reputation.scores[0] = 2 ** -125
    const halve = () => reputation.update(undefined, { decay: 0.5 })
    expect([halve(), reputation.scores[0], halve(), reputation.scores[0]]).toEqual([
      Either.void,
      2 ** -126,
      Either.void,
      0
    ])
  })

  it("Given a range, When it is asked for, Then both ends are in it, rounded to 32 bits, and nothing behind the last score", () => {
    const reputation = Either.getOrThrow(Reputation.make({ capacity: 5 }))
    reputation.scores.set([0.1, 0.2, 0, 0.3, 0])
    expect(Either.map(reputation.inRange(0.1, 0.3), (found) => Array.from(found))).toEqual(Either.right([0, 1, 3]))
    expect(Either.map(reputation.inRange(-Infinity, 0), (found) => Array.from(found))).toEqual(Either.right([2, 4]))
  })

  it.each([0, -1, 1.5, NaN, Infinity, 2 ** 24 + 1])(
    "Given a capacity of %d, Then it is refused by name",
    (capacity) => {
      expect(Reputation.make({ capacity })).toMatchObject({ left: { _tag: "InvalidInput", field: "capacity" } })
    }
  )

  it.each([
    ["gains", [Float32Array.of(1, 2), {}]],
    ["decay", [undefined, { decay: NaN }]],
    ["decay", [undefined, { decay: -1 }]],
    ["weight", [Float32Array.of(1, 2, 3), { weight: Infinity }]],
    ["cap", [undefined, { cap: -1 }]],
    ["cap", [undefined, { cap: 1e39 }]]
  ] as const)(
    "Given a wrong %s, When scores are updated, Then it is refused and nothing changes",
    (field, [gains, options]) => {
      const reputation = Either.getOrThrow(Reputation.make({ capacity: 3 }))
      reputation.scores.set([1, 2, 3])
      expect(reputation.update(gains, options)).toMatchObject({ left: { _tag: "InvalidInput", field } })
      expect(Array.from(reputation.scores)).toEqual([1, 2, 3])
      expect(Array.from(reputation.gains)).toEqual([0, 0, 0])
    }
  )

  it.each([
    [2, 1],
    [NaN, 1],
    [1, NaN]
  ])("Given a range from %d to %d, Then it is refused", (min, max) => {
    const reputation = Either.getOrThrow(Reputation.make({ capacity: 3 }))
    expect(reputation.inRange(min, max)).toMatchObject({ left: { field: "min" } })
  })
})

describe("the package's WebAssembly", () => {
  it.each(modules)("Given $source, When it is assembled anew, Then it gives the committed module", async (module) => {
    expect(await readFile(fileOf(module), "utf8")).toBe(await render(module))
  })
})
