import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RpcPool from "../../services/RpcPool.js"
import type { RpcError } from "../../services/RpcTransport.js"

describe("RpcPool.layerTest", () => {
  it.effect(
    "Given stubs, When methods are used, Then calls counts them, and a method without a stub dies and names itself",
    () =>
      Effect.gen(function* () {
        const rpc = yield* RpcPool.RpcPool

        yield* rpc.getSlot()
        yield* rpc.getSlot()
        yield* rpc.getHealth
        const died: ReadonlyArray<Exit.Exit<unknown, RpcError>> = yield* Effect.all([
          Effect.exit(rpc.getBlockHeight()),
          Effect.exit(rpc.getVersion)
        ])

        assert.strictEqual(yield* RpcPool.calls("getSlot"), 2)
        assert.strictEqual(yield* RpcPool.calls("getHealth"), 1)
        assert.strictEqual(yield* RpcPool.calls("getBalance"), 0)
        for (const [index, name] of ["getBlockHeight", "getVersion"].entries()) {
          const exit = died[index]
          assert.include(exit !== undefined && Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", `"${name}"`)
        }
      }).pipe(Effect.provide(RpcPool.layerTest({ getSlot: () => Effect.succeed(7n), getHealth: Effect.succeed("ok") })))
  )

  it.effect("Given two builds of one test layer, When one is used, Then the other counts nothing", () =>
    Effect.gen(function* () {
      const layer = RpcPool.layerTest({ getSlot: () => Effect.succeed(7n) })
      const used = Effect.flatMap(RpcPool.RpcPool, (rpc) => rpc.getSlot())

      yield* Effect.provide(used, layer)
      const counted = yield* Effect.provide(RpcPool.calls("getSlot"), layer)

      assert.strictEqual(counted, 0)
    })
  )
})
