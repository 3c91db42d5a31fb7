import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Faults from "./Faults.js"
import * as Kill from "./Kill.js"

/** A number of the environment, for longer runs: `CHAOS_MESSAGES=400 CHAOS_KILLS=20 npx vitest run test/chaos/Kill.test.ts`. */
const setting = (name: string, fallback: number): number => {
  const value = Number(process.env[name])
  return Number.isSafeInteger(value) && value > 0 ? value : fallback
}

const messages = setting("CHAOS_MESSAGES", 24)
const kills = setting("CHAOS_KILLS", 2)
const seed = setting("CHAOS_SEED", Math.floor(Math.random() * 1_000_000))

describe("a process that is killed over a failing network", () => {
  it.live(
    `Given all faults with seed ${seed}, When the sender is killed ${kills} times, Then each message lands once or truly fails`,
    () =>
      Effect.gen(function* () {
        const report = yield* Kill.run({ messages, kills, seed, faults: Faults.all, endpoints: 3 })
        expect(report).toMatchObject({ landedTwice: 0, lost: 0, failedFalsely: 0, untold: 0, unfinished: 0, wrong: [] })
        expect(report.landedOnce + report.failedTruly).toBe(messages)
      }),
    60_000 + 5000 * (kills + messages)
  )
})
