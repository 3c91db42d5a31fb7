import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Chaos from "./Chaos.js"
import * as Dice from "./Dice.js"
import * as Faults from "./Faults.js"

/** The last one is any; a failure names it. */
const SEEDS = [11, 2026, Math.floor(Math.random() * 1_000_000)]

const play = (options: Partial<Chaos.Options>) =>
  Chaos.run({ messages: 100, faults: Faults.all, seed: 1, endpoints: 3, follow: true, ...options })

const rolls = (...place: ReadonlyArray<number>): ReadonlyArray<number> => {
  const { roll } = Dice.at(...place)
  return [roll(), roll(), roll()]
}

// One after another: clusters that start together would stall each other for longer than a call may take.
describe.sequential("messages over a failing network", () => {
  it.live.each(SEEDS)(
    "Given all faults but lies with seed %d, When agents send and follow, Then receipts, errors and inboxes agree with the chain",
    (seed) =>
      Effect.gen(function* () {
        // When
        const { followed, report } = yield* play({ seed, faults: { ...Faults.all, lies: 0 } })
        // Then
        expect(report).toMatchObject({ seed, landedTwice: 0, lost: 0, failedFalsely: 0 })
        expect(report.landedOnce + report.failedTruly).toBe(100)
        expect(followed).toEqual({ missed: [], repeated: [], ended: [] })
      }),
    300_000
  )

  it.live(
    "Given all faults and one endpoint that lies, When agents send and follow, Then receipts, errors and inboxes agree with the chain",
    () =>
      Effect.gen(function* () {
        const { followed, report } = yield* play({ seed: 11 })
        expect(report).toMatchObject({ landedTwice: 0, lost: 0, failedFalsely: 0 })
        expect(report.landedOnce + report.failedTruly).toBe(100)
        expect(followed).toEqual({ missed: [], repeated: [], ended: [] })
      }),
    300_000
  )

  it.live(
    "Given open sockets that lose notifications, When agents follow, Then they see each message once",
    () =>
      Effect.gen(function* () {
        const faults = { ...Faults.none, loseNotification: 0.3, repeatNotification: 0.1, reorderNotification: 0.1 }
        const { followed } = yield* play({ faults })
        expect(followed).toEqual({ missed: [], repeated: [], ended: [] })
      }),
    300_000
  )

  it.live(
    "Given no fault, When agents send, Then no message is lost or doubled, and no failed send has landed",
    () =>
      Effect.gen(function* () {
        const { report } = yield* play({ faults: Faults.none })
        expect(report).toMatchObject({ landedTwice: 0, lost: 0, failedFalsely: 0 })
        // A machine too busy to send within a blockhash's life lets some expire.
        expect(report.landedOnce + report.failedTruly).toBe(100)
      }),
    300_000
  )

  it.live(
    "Given one endpoint that drops and delays transactions, When agents send, Then receipts and errors agree with the chain",
    () =>
      Effect.gen(function* () {
        const faults = yield* Faults.named(["swallow", "late", "duplicate", "dropAfter"])
        const { report } = yield* play({ faults, endpoints: 1, follow: false })
        expect(report).toMatchObject({ landedTwice: 0, lost: 0, failedFalsely: 0 })
        expect(report.landedOnce + report.failedTruly).toBe(100)
      }),
    300_000
  )
})

describe("what the faults are", () => {
  it("Given one seed, When dice are rolled twice at one place, Then they are equal, and different at another place", () => {
    expect(rolls(7, 3)).toEqual(rolls(7, 3))
    expect(rolls(7, 3)).not.toEqual(rolls(7, 4))
    expect(rolls(7, 3)).not.toEqual(rolls(8, 3))
  })

  it("Given a fault with probability 0.1, When many dice are rolled, Then about a tenth of them hit", () => {
    const met = Array.from({ length: 10_000 }, (_, n) => Dice.at(1, n).meets(0.1)).filter(Boolean).length
    expect(met).toBeGreaterThan(900)
    expect(met).toBeLessThan(1100)
  })

  it("Given names of faults, When they are selected, Then only these happen, and an unknown name is refused", () => {
    expect(Faults.named(["swallow"])).toEqual(Either.right({ ...Faults.none, swallow: Faults.all.swallow }))
    expect(Faults.named(["all"])).toEqual(Either.right(Faults.all))
    expect(Either.isLeft(Faults.named(["gremlins"]))).toBe(true)
  })
})
