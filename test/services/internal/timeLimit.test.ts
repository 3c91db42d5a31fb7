import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as TimeLimit from "../../../services/internal/timeLimit.js"
import * as Subscriptions from "../../../services/wire/Subscriptions.js"
import * as SafeText from "../../../src/SafeText.js"

const ROOT = path.resolve(import.meta.dirname, "../../..")

const within = TimeLimit.within("1 minute", () => "late")

/** Runs an effect that waits beside one that fails, and gives how both ended. */
const besideFailure = <A, E>(waits: Effect.Effect<A, E>, failing: Effect.Effect<never, string>) =>
  Effect.forEach([true, false], (first) =>
    Effect.flip(Effect.all(first ? [waits, failing] : [failing, waits], { concurrency: "unbounded" }))
  )

const failures = {
  "at once": Effect.fail("sibling"),
  "in a later turn": Effect.zipRight(Effect.yieldNow(), Effect.fail("sibling")),
  "after a timer": Effect.zipRight(
    Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1))),
    Effect.fail("sibling")
  )
}

describe("a time limit", () => {
  it.effect("Given an effect, When it ends in time, Then its outcome is kept, and the limit's timer ends", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* within(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(within(Effect.fail("no"))), "no")
      assert.strictEqual(yield* TimeLimit.orElse("1 minute", () => 2)(Effect.succeed(1)), 1)
    })
  )

  it.effect(
    "Given an effect that waits, When its time is over, Then it is interrupted, and the limit's answer comes",
    () =>
      Effect.gen(function* () {
        const interrupted = yield* Deferred.make<void>()
        const waits = Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
        const fiber = yield* Effect.fork(Effect.all([Effect.flip(within(waits)), TimeLimit.orElse(5, () => 2)(waits)]))
        yield* TestClock.adjust("1 minute")
        assert.isTrue(Option.isSome(yield* Deferred.poll(interrupted)))
        yield* TestClock.adjust(5)
        assert.deepStrictEqual(yield* Fiber.join(fiber), ["late", 2])
      })
  )

  for (const [when, failing] of Object.entries(failures)) {
    it.live(`Given a sibling that fails ${when}, When both run at once, Then the one that waits is interrupted`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* besideFailure(within(Effect.never), failing), ["sibling", "sibling"])
        assert.deepStrictEqual(yield* besideFailure(TimeLimit.orElse("1 minute", () => 1)(Effect.never), failing), [
          "sibling",
          "sibling"
        ])
        const call = Deadline.within("1 minute")(Deadline.enforce("getSlot", "node")(Effect.never))
        assert.deepStrictEqual(yield* besideFailure(call, failing), ["sibling", "sibling"])
        const outcome = yield* Effect.scoped(
          Effect.flatMap(
            Subscriptions.make({
              host: "node",
              clean: SafeText.make,
              timeout: Duration.minutes(1),
              maxMessageBytes: 1000,
              perSocket: 1,
              unread: { items: 1, bytes: 1 },
              open: () => ({ send: () => undefined, close: () => undefined })
            }),
            (subscribe) => besideFailure(Stream.runDrain(subscribe("slot", [])), failing)
          )
        )
        assert.deepStrictEqual(outcome, ["sibling", "sibling"])
      })
    )
  }

  it("Given the sources, When they are searched, Then none uses a timeout that hangs beside a failing sibling", () => {
    const uses = ["services", "layers"].flatMap((folder) =>
      readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .filter((name) =>
          /^(?!\s*(?:\*|\/\/)).*\bEffect\.timeout/m.test(readFileSync(path.join(ROOT, folder, name), "utf8"))
        )
    )
    assert.deepStrictEqual(uses, [])
  })
})
