import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Bed from "./Bed.js"
import * as Lies from "./Lies.js"
import * as Trust from "./Trust.js"

const page = Trust.parse(readFileSync(new URL("../../docs/trust.md", import.meta.url), "utf8"))

/** Decides which lies are told in which flow. Fixed, so that the page's cells hold: other seeds are for `npm run liar`. */
const SEED = 2026

/** Of each field, values that are told in a run of the suite: `npm run liar` tells all. */
const VALUES = 1

const sample = Object.values(Arr.groupBy(Lies.all, ({ about }) => about)).flatMap((lies) =>
  Arr.makeBy(Math.min(VALUES, lies.length), (index) => lies[(SEED + index * 7) % lies.length]).filter(
    (lie) => lie !== undefined
  )
)

describe("endpoints that lie in one field", () => {
  it("Given the page on trust, When it is read, Then it says of each lie what comes of it, and no lie gets through", () => {
    expect(page.map(({ about }) => about)).toEqual(
      Lies.subjects.filter((about) => page.some((row) => row.about === about))
    )
    const words = Arr.dedupe(page.flatMap(({ alone, minority }) => [...alone, ...minority]))
    expect(words.filter((word) => word === word.toUpperCase() && word !== "–")).toEqual([])
  })

  it.live(
    `Given one endpoint, two and three, When the preferred one lies (seed ${SEED}), Then only that comes of it which the page says`,
    () =>
      Effect.gen(function* () {
        const outcomes = yield* Bed.run({ lies: sample, endpoints: [1, 2, 3], flows: 1, seed: SEED })
        const surprises = outcomes.filter(({ endpoints, lie, verdict }) => {
          const row = page.find(({ about }) => about === lie.about)
          const said = endpoints === 1 ? row?.alone : row?.minority
          // Whether a value is noticed depends on the flow; what is worse than an error does not.
          const isHarmless = verdict === "unchanged" || verdict === "detected"
          return lie.method !== "" && (said === undefined || !(isHarmless || said.includes(Trust.wordOf(verdict))))
        })
        expect(surprises.map(Bed.describe)).toEqual([])
        expect(outcomes.length).toBeGreaterThan(100)
      }),
    300_000
  )

  it.live(
    "Given lies over HTTP, When lamports are sent, Then they arrive once, and the sender gets no false result",
    () =>
      Effect.gen(function* () {
        const lies = Lies.named([
          "sendTransaction=HTTP 4",
          "sendTransaction=-3200",
          "sendTransaction=-3260",
          "getEpochInfo.blockHeight=max",
          "getLatestBlockhash.value.lastValidBlockHeight=one",
          "getSignatureStatuses.value.*.slot=text"
        ])
        const outcomes = yield* Bed.runServed(lies, SEED)
        const wrong = outcomes.filter(
          ({ isToldLies, verdict }) => isToldLies && verdict !== "unchanged" && verdict !== "detected"
        )
        expect(wrong.map(Bed.describe)).toEqual([])
        expect(outcomes.filter(({ isToldLies }) => isToldLies).length).toBeGreaterThanOrEqual(lies.length)
      }),
    300_000
  )
})
