import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import type { Restore } from "../../../services/internal/FifoQueue.js"
import { FifoQueue } from "../../../services/internal/FifoQueue.js"
import { runs } from "../../support/runs.js"
import { settle } from "../transport/sockets.js"

describe("FifoQueue", () => {
  it.effect.prop(
    "Given a turn that passes through the queue, When fibers are interrupted before, as or after they get it, Then it is never lost",
    {
      interrupted: FastCheck.array(
        FastCheck.constantFrom("no" as const, "waiting" as const, "called" as const, "in turn" as const),
        {
          minLength: 1,
          maxLength: 12
        }
      )
    },
    ({ interrupted }) =>
      Effect.gen(function* () {
        const line = new FifoQueue<string, never, number>()
        const fibers: Array<Fiber.RuntimeFiber<string>> = []
        const served: Array<number> = []
        let ended = false

        const turn =
          (n: number) =>
          (restore: Restore): Effect.Effect<string> =>
            Effect.ensuring(
              restore(
                Effect.suspend(() => {
                  served.push(n)
                  return interrupted[n] === "in turn" ? Effect.never : Effect.succeed("served")
                })
              ),
              Effect.sync(passTurn)
            )
        const passTurn = (): void => {
          const next = line.shift()
          if (next === undefined) {
            ended = true
            return
          }
          next.handOff(turn(next.info))
          const fiber = fibers[next.info]
          if (interrupted[next.info] === "called" && fiber !== undefined) Effect.runFork(Fiber.interrupt(fiber))
        }

        for (const n of interrupted.keys()) fibers.push(yield* Effect.fork(line.join(n, { turnLost: passTurn })))
        yield* settle
        for (const [n, fiber] of fibers.entries()) if (interrupted[n] === "waiting") yield* Fiber.interrupt(fiber)
        passTurn()
        for (const [n, fiber] of fibers.entries()) {
          yield* settle
          if (interrupted[n] === "in turn") yield* Fiber.interrupt(fiber)
        }
        yield* settle
        assert.isTrue(ended)
        assert.strictEqual(line.size, 0)
        assert.deepStrictEqual(
          served,
          served.toSorted((a, b) => a - b)
        )
        for (const [n, fiber] of fibers.entries()) {
          const exit = yield* Fiber.await(fiber)
          if (interrupted[n] === "no") assert.deepStrictEqual(exit, Exit.succeed("served"))
        }
      }),
    { fastCheck: { numRuns: runs(200) } }
  )
})
