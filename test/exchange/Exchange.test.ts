import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exchange from "./Exchange.js"

const MESSAGES = 20

describe("an exchange between processes", () => {
  it.live(
    "Given a payload server that is killed, When two agents exchange messages, Then each is read and no sealed text leaks",
    () =>
      Effect.gen(function* () {
        const { found, kills, report } = yield* Exchange.run({ messages: MESSAGES, kills: 1, timeout: "2 minutes" })
        expect(report).toMatchObject({ messages: MESSAGES, sealed: 10, readVerified: MESSAGES, wrong: 0, lost: 0 })
        // That the plain texts are found shows that the third party sees all.
        expect(found).toEqual({ plain: 10, sealed: 0 })
        expect(kills).toBe(1)
      })
  )
})
