import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Signal from "../../../services/transactions/confirm/Signal.js"

/** A signal that counts who listens. */
const counted = () => {
  const signal = Signal.make()
  const listening = new Set<() => void>()
  const listen: Signal.Signal["listen"] = (wake) => {
    const stop = signal.listen(() => {
      listening.delete(wake)
      wake()
    })
    listening.add(wake)
    return () => {
      listening.delete(wake)
      stop()
    }
  }
  return { ring: signal.ring, listen, listening }
}

describe("Signal", () => {
  it.effect("Given two signals, When one rings, Then whoever waits goes on and listens to neither", () =>
    Effect.gen(function* () {
      const [often, never] = [counted(), counted()]
      for (let round = 0; round < 100; round++) {
        const waiting = yield* Effect.fork(Signal.wait(often, never))
        yield* Effect.yieldNow()
        often.ring()
        yield* Fiber.join(waiting)
      }
      assert.deepStrictEqual([often.listening.size, never.listening.size], [0, 0])
    })
  )

  it.effect("Given a sleep, When it is over, or interrupted, or a signal rings, Then nobody listens", () =>
    Effect.gen(function* () {
      const signal = counted()
      const over = yield* Effect.fork(Signal.sleep(10, signal))
      yield* TestClock.adjust(10)
      assert.isFalse(yield* Fiber.join(over))
      const woken = yield* Effect.fork(Signal.sleep(10, signal))
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      signal.ring()
      assert.isTrue(yield* Fiber.join(woken))
      const interrupted = yield* Effect.fork(Signal.sleep(10, signal))
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      assert.strictEqual(signal.listening.size, 1)
      yield* Fiber.interrupt(interrupted)
      assert.strictEqual(signal.listening.size, 0)
    })
  )

  it.effect("Given several that wait, When one of them makes another wait, Then that one waits for the next ring", () =>
    Effect.sync(() => {
      const signal = Signal.make()
      const woken: Array<string> = []
      signal.listen(() => {
        woken.push("first")
        signal.listen(() => woken.push("later"))
      })
      const stop = signal.listen(() => woken.push("second"))
      signal.ring()
      assert.deepStrictEqual(woken, ["first", "second"])
      stop()
      signal.ring()
      assert.deepStrictEqual(woken, ["first", "second", "later"])
    })
  )
})
