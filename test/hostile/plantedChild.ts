/** Plants one crash of each kind while a tally watches, and prints the tally. */
import { setTimeout } from "node:timers/promises"
import * as Effect from "effect/Effect"
import * as Tally from "./Tally.js"

const tally = Tally.make()

const plant = Effect.gen(function* () {
  setImmediate(() => {
    throw new Error("planted exception")
  })
  void Promise.reject(new Error("planted rejection"))
  yield* Effect.fork(Effect.dieMessage("planted defect"))
  yield* Tally.end(tally, "planted call", Effect.die(new Error("planted death")), () => true)
  yield* Tally.end(tally, "planted call", Effect.fail("planted failure"), () => false)
  yield* Tally.end(
    tally,
    "planted hang",
    Effect.uninterruptible(Effect.async<never>(() => {})),
    () => true,
    "50 millis"
  )
  yield* Effect.promise(() => setTimeout(50))
})

void Effect.runPromise(Tally.watch(tally, plant)).then(() => console.log(JSON.stringify(tally)))
