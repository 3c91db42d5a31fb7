import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { held } from "../support/heap.js"
import { serveFrames, written } from "../support/hostileFrames.js"
import { runs } from "../support/runs.js"
import { until } from "./RpcPoolUndiciServer.js"
import { transports } from "./transports.js"

const RUNS = runs(400)

/** Bytes by which a run may leave the heap larger, whatever the number of frames. */
const GROWTH = 24e6

describe.each(transports)("Hostile frames over %s", (_, { pool }) => {
  it.scopedLive(
    "Given any frames of a node, When they arrive, Then nothing is thrown outside of an Effect, and memory stays bounded",
    () =>
      Effect.gen(function* () {
        let frames: Array<Buffer> = []
        const thrown: Array<unknown> = []
        const note = (error: unknown) => void thrown.push(error)
        yield* Effect.acquireRelease(
          Effect.sync(() => process.on("uncaughtException", note).on("unhandledRejection", note)),
          () => Effect.sync(() => process.off("uncaughtException", note).off("unhandledRejection", note))
        )
        const { read, wsUrl } = yield* serveFrames(() => {
          if (frames.length === 0) frames = fc.sample(written, 100)
          return frames.pop() ?? Buffer.alloc(0)
        })
        const before = held()
        const rpc = yield* pool(
          { url: "http://127.0.0.1:1", wsUrl },
          {
            reconnect: { baseDelay: "1 millis", maxDelay: "1 millis" },
            circuit: { cooldown: "1 millis", maxCooldown: "1 millis" },
            maxNotificationBytes: 1_000_000
          }
        )
        const defects: Array<unknown> = []

        const reader = yield* rpc.accountSubscribe(SYSTEM_PROGRAM).pipe(
          Stream.runDrain,
          Effect.catchAllDefect((defect) => Effect.sync(() => void defects.push(defect))),
          Effect.ignore,
          Effect.forever,
          Effect.fork
        )
        yield* until(() => read() >= RUNS)
        yield* Fiber.interrupt(reader)

        assert.deepStrictEqual([thrown, defects], [[], []])
        frames = []
        assert.isBelow(held() - before, GROWTH)
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))),
    600_000
  )
})
