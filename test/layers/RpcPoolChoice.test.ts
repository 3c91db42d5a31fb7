import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import { asked, endpoint, host, node } from "./nodes.js"
import { answer, until } from "./RpcPoolUndiciServer.js"

const SIGNATURE = "1".repeat(64)

const WIRE = new Uint8Array(100)

describe("RpcPoolUndici: which nodes a call goes to", () => {
  it.scopedLive("Given hedging, When a node stalls, Then another answers in its place and the stalled call ends", () =>
    Effect.gen(function* () {
      let stalls = false
      let ended = 0
      const quick = yield* node({
        onRequest: (request, response) => {
          if (!stalls) return answer(request, response, 1)
          response.on("close", () => ended++)
        }
      })
      const other = yield* node({ onRequest: (request, response) => answer(request, response, 2) })
      const rpc = yield* RpcPoolUndici.make({
        endpoints: [endpoint(quick, { weight: 1000 }), endpoint(other)],
        probeInterval: Infinity,
        hedge: { ratio: 1 }
      })
      for (let nth = 0; nth < 40; nth++) yield* rpc.getBlockHeight()
      const before = asked(other, "getBlockHeight").length

      stalls = true
      assert.strictEqual(yield* rpc.getBlockHeight(), 2n)

      yield* until(() => ended === 1)
      assert.strictEqual(asked(other, "getBlockHeight").length, before + 1)
    })
  )

  it.scopedLive("Given a node that lags, When calls are made, Then it gets none, even with the lowest latency", () =>
    Effect.gen(function* () {
      const late = yield* node({ slot: 100 })
      const nodes = [late, yield* node({ slot: 1000 }), yield* node({ slot: 1010 })]
      const pool = yield* RpcPoolUndici.endpoints({
        endpoints: nodes.map((server) => endpoint(server, { weight: server === late ? 1000 : 1 })),
        probeInterval: "200 millis"
      })
      const lags = Effect.map(pool.status, (status) => status.map(({ lag }) => lag))
      yield* Effect.repeat(lags, {
        until: ([first, ...others]) => first === 900n && others.every((lag) => lag === 0n),
        schedule: Schedule.spaced("5 millis")
      })

      const rpc = RpcPool.make(pool)
      yield* Effect.replicateEffect(rpc.getBlockHeight(), 10)

      assert.strictEqual(asked(late, "getBlockHeight").length, 0)
    })
  )

  it.scopedLive("Given equal nodes, When transactions are sent, Then all go to the node that accepted the first", () =>
    Effect.gen(function* () {
      const nodes = yield* Effect.replicateEffect(
        node({ onRequest: (request, response) => answer(request, response, SIGNATURE) }),
        3
      )
      const rpc = yield* RpcPoolUndici.make({ endpoints: nodes.map((server) => endpoint(server)) })

      yield* Effect.replicateEffect(rpc.sendTransaction(WIRE), 10)

      assert.deepStrictEqual(nodes.map((server) => asked(server, "sendTransaction").length).toSorted(), [0, 0, 10])
    })
  )

  it.scopedLive(
    "Given a broadcast to two of three nodes, When one fails, Then the other's answer counts, and both got the transaction",
    () =>
      Effect.gen(function* () {
        const [failing, taking, idle] = [
          yield* node({ onRequest: (_, response) => void response.destroy() }),
          yield* node({
            onRequest: (request, response) => void setTimeout(() => answer(request, response, SIGNATURE), 20)
          }),
          yield* node()
        ]
        const rpc = yield* RpcPoolUndici.make({
          endpoints: [
            endpoint(failing, { weight: 1e6 }),
            endpoint(taking, { weight: 1000 }),
            endpoint(idle, { weight: 0.001 })
          ],
          broadcast: 2
        })

        assert.strictEqual(yield* rpc.sendTransaction(WIRE), SIGNATURE)

        assert.deepStrictEqual(
          [failing, taking, idle].map((server) => asked(server, "sendTransaction").length),
          [1, 1, 0]
        )
      })
  )

  it.scopedLive(
    "Given arrays of ten, When 25 calls are made at once, Then three requests carry them and each call gets its answer",
    () =>
      Effect.gen(function* () {
        const server = yield* node({
          onRequest: ({ calls }, response) =>
            response.end(
              JSON.stringify(
                calls.map(({ id, params: [slot] }) =>
                  slot === 13
                    ? { jsonrpc: "2.0", id, error: { code: -32009, message: "Slot 13 was skipped" } }
                    : { jsonrpc: "2.0", id, result: slot }
                )
              )
            )
        })
        const rpc = yield* RpcPoolUndici.make(endpoint(server, { arraySize: 10 }))
        const slots = Array.from({ length: 25 }, (_, slot) => BigInt(slot))

        const times = yield* Effect.forEach(slots, (slot) => Effect.either(rpc.getBlockTime(slot)), {
          concurrency: "unbounded"
        })

        assert.deepStrictEqual(
          server.requests.map(({ calls }) => calls.length),
          [10, 10, 5]
        )
        const failed = times.flatMap((time, slot) => (Either.isLeft(time) ? [[slot, time.left] as const] : []))
        assert.deepStrictEqual(
          failed.map(([slot]) => slot),
          [13]
        )
        assert.include(failed[0]?.[1], { code: -32009 })
      })
  )

  it.scopedLive(
    "Given a rate, When more calls than the burst are made at once, Then the rest follow in order at the rate",
    () =>
      Effect.gen(function* () {
        const at: Array<number> = []
        const server = yield* node({
          onRequest: (request, response) => {
            at.push(performance.now())
            answer(request, response, 1)
          }
        })
        const rpc = yield* RpcPoolUndici.make(
          endpoint(server, { connections: 1, limits: { requests: { perSecond: 50, burst: 5 } } })
        )
        const start = performance.now()

        yield* Effect.forEach(Array.from({ length: 15 }).keys(), (nth) => rpc.getBlockTime(BigInt(nth)), {
          concurrency: "unbounded"
        })

        assert.deepStrictEqual(
          server.requests.map(({ calls: [call] }) => call?.params[0]),
          Array.from({ length: 15 }, (_, nth) => nth)
        )
        assert.isAbove((at.at(-1) ?? 0) - start, 190)
      })
  )

  it.scopedLive("Given a node that is down, When many calls are made, Then retries stay within their budget", () =>
    Effect.gen(function* () {
      const server = yield* node({ onRequest: (_, response) => void response.writeHead(503).end() })
      const rpc = yield* RpcPoolUndici.make({
        ...endpoint(server, { circuit: { failures: 1_000_000 } }),
        retry: { baseDelay: "1 millis", budgetReserve: 10, budgetRatio: 0.1 }
      })

      const calls = Array.from({ length: 100 }).keys()
      const failed = yield* Effect.forEach(calls, (slot) => Effect.flip(rpc.getBlockTime(BigInt(slot))))

      assert.deepInclude(failed[99], { reason: "HttpStatus", status: 503, host: host(server) })
      assert.isAtLeast(server.requests.length, 110)
      assert.isAtMost(server.requests.length, 120)
    })
  )
})
