/** Replies over HTTP that are random, broken or mutated: each call ends with a result or a typed error, and nothing grows. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import { EMPTY, METHODS, reply, serving, type Reply } from "../support/hostileReplies.js"
import { runs } from "../support/runs.js"

const SLICE = 200

describe("replies that are no replies", () => {
  it.scopedLive(
    "Given random and mutated replies, When calls are made, Then each ends with a result or a typed error",
    () =>
      Effect.gen(function* () {
        const total = runs(600)
        let replies: Array<Reply> = []
        const { port } = yield* serving(() => replies.pop() ?? EMPTY)
        const rpc = RpcPool.make(
          yield* RpcPoolUndici.transport({
            url: Redacted.make(`http://127.0.0.1:${port}`),
            connections: 8,
            headersTimeout: "2 seconds",
            bodyTimeout: "2 seconds",
            requestTimeout: "5 seconds"
          })
        )
        const thrown: Array<unknown> = []
        const onThrown = (error: unknown) => void thrown.push(error)
        process.on("uncaughtExceptionMonitor", onThrown)
        yield* Effect.addFinalizer(() => Effect.sync(() => process.off("uncaughtExceptionMonitor", onThrown)))
        let memory = 0
        for (let done = 0; done < total; done += SLICE) {
          replies = FastCheck.sample(reply, SLICE)
          const exits = yield* Effect.forEach(
            Array.from({ length: SLICE }, (_, nth) => METHODS[nth % METHODS.length] ?? "getSlot"),
            (method, nth) => {
              const call: Effect.Effect<unknown, RpcError> =
                nth % 7 === 0
                  ? rpc.batch([
                      { method, params: [] },
                      { method: "getSlot", params: [] }
                    ])
                  : method === "getSlot"
                    ? rpc.getSlot()
                    : rpc.request(method)
              return Effect.exit(call)
            },
            { concurrency: 16 }
          )
          for (const exit of exits) {
            if (Exit.isSuccess(exit)) continue
            assert.isTrue(
              Cause.isFailType(exit.cause) && exit.cause.error instanceof RpcError,
              Cause.pretty(exit.cause)
            )
            assert.isString(JSON.stringify(Cause.squash(exit.cause)))
          }
          if (done === 20 * SLICE) memory = process.memoryUsage().heapUsed
        }
        if (memory > 0) assert.isBelow(process.memoryUsage().heapUsed - memory, 128 * 1024 * 1024)
        assert.deepStrictEqual(thrown, [])
      }),
    600_000
  )
})
