import type { ServerResponse } from "node:http"
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import { fromBytes, SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { serveSecure } from "../support/secure.js"
import { asked, endpoint, GENESIS, host, node } from "./nodes.js"
import { answer, parseCalls, serve, until } from "./RpcPoolUndiciServer.js"
import type { Request } from "./RpcPoolUndiciServer.js"

const broken = {
  onRequest: (_: Request, response: ServerResponse) => void response.writeHead(500).end("<html>")
}

describe("RpcPoolUndici over several endpoints", () => {
  it.scopedLive(
    "Given nodes of two clusters, When the pool is made, Then WrongGenesis names the node of the other cluster",
    () =>
      Effect.gen(function* () {
        const [own, foreign] = [yield* node(), yield* node({ genesis: "Foreign" })]

        const error = yield* Effect.flip(RpcPoolUndici.make({ endpoints: [endpoint(own), endpoint(foreign)] }))
        const alone = yield* Effect.flip(RpcPoolUndici.make({ ...endpoint(foreign), genesis: GENESIS }))

        assert.deepInclude(error, { _tag: "EndpointsError", reason: "WrongGenesis", host: host(foreign) })
        assert.deepInclude(alone, { _tag: "EndpointsError", reason: "WrongGenesis", host: host(foreign) })
        assert.include(error.message, host(own))
        assert.notInclude(inspect([error, alone], { depth: 9 }), "SECRET")
      })
  )

  it.scopedLive("Given no node that can be reached, When the pool is made, Then Unreachable names host and cause", () =>
    Effect.gen(function* () {
      const urls = ["http://127.0.0.1:2/SECRET", "http://nowhere.invalid/SECRET"]

      const error = yield* Effect.flip(
        RpcPoolUndici.make({ endpoints: urls.map((url) => ({ url: Redacted.make(url) })), startTimeout: "5 seconds" })
      )

      assert.deepInclude(error, { _tag: "EndpointsError", reason: "Unreachable", host: "127.0.0.1:2" })
      assert.include(inspect(error, { depth: 9 }), "ECONNREFUSED")
      assert.notInclude(inspect(error, { depth: 9 }), "SECRET")
    })
  )

  it.scopedLive("Given an untrusted certificate, When the pool is made, Then Unreachable says so", () =>
    Effect.gen(function* () {
      const { port } = yield* serveSecure(() => Promise.resolve("{}"))
      const url = Redacted.make(`https://127.0.0.1:${port}/SECRET`)

      for (const options of [
        { url, genesis: GENESIS },
        { url, program: SYSTEM_PROGRAM, startTimeout: "2 seconds" },
        { endpoints: [{ url }, { url }] }
      ] as const) {
        const error = yield* Effect.flip(RpcPoolUndici.make(options))

        assert.deepInclude(error, { _tag: "EndpointsError", reason: "Unreachable", host: `127.0.0.1:${port}` })
        assert.include(inspect(error, { depth: 9 }), "self-signed certificate")
        assert.notInclude(inspect(error, { depth: 9 }), "SECRET")
      }
    })
  )

  it.scopedLive("Given nodes without the program, When the pool is made, Then NoProgram names one", () =>
    Effect.gen(function* () {
      const server = yield* node({
        onRequest: (request, response) => answer(request, response, { context: { slot: 1 }, value: null })
      })

      const error = yield* Effect.flip(RpcPoolUndici.make({ ...endpoint(server), program: SYSTEM_PROGRAM }))

      assert.deepInclude(error, { _tag: "EndpointsError", reason: "NoProgram", host: host(server) })
      assert.include(error.message, SYSTEM_PROGRAM)
    })
  )

  it.scopedLive(
    "Given no endpoint, or none with the role send, When the pool is made, Then it fails with InvalidInput",
    () =>
      Effect.gen(function* () {
        const server = yield* node()
        for (const endpoints of [[], [endpoint(server, { roles: ["read"] })]]) {
          assert.deepInclude(yield* Effect.flip(RpcPoolUndici.make({ endpoints })), {
            _tag: "InvalidInput",
            field: "endpoints"
          })
        }
      })
  )

  it.scopedLive(
    "Given credentials in one URL, When the pool is made, Then InvalidInput names the endpoint's index",
    () =>
      Effect.gen(function* () {
        const urls = ["http://node-1", "https://user:SECRET@node-2/SECRET"]

        const error = yield* Effect.flip(
          RpcPoolUndici.make({ endpoints: urls.map((url) => ({ url: Redacted.make(url) })) })
        )

        const weightless = yield* Effect.flip(
          RpcPoolUndici.make({
            endpoints: [1, 0].map((weight) => ({ url: Redacted.make("http://node"), weight }))
          })
        )

        assert.deepInclude(error, { _tag: "InvalidInput", field: "endpoints[1].url" })
        assert.deepInclude(weightless, { _tag: "InvalidInput", field: "endpoints[1].weight" })
        assert.include(error.message, "node-2")
        assert.notInclude(inspect(error, { depth: 9 }), "SECRET")
      })
  )

  it.scopedLive(
    "Given a node that fails, When reads are made, Then another answers and the failed one gets no more calls",
    () =>
      Effect.gen(function* () {
        const [bad, good] = [yield* node(broken), yield* node()]
        const pool = yield* RpcPoolUndici.endpoints({
          endpoints: [
            endpoint(bad, { weight: 1000, circuit: { failures: 2, cooldown: "1 minute", maxCooldown: "1 minute" } }),
            endpoint(good)
          ],
          probeInterval: Infinity
        })
        const rpc = RpcPool.make(pool)

        for (let nth = 0; nth < 10; nth++)
          assert.strictEqual(yield* rpc.getBlockHeight({ minContextSlot: BigInt(nth) }), 1n)

        assert.strictEqual(asked(bad, "getBlockHeight").length, 2)
        const status = yield* pool.status
        assert.deepStrictEqual(
          status.map(({ circuit, host, membership }) => [host, circuit, membership]),
          [
            [host(bad), "open", "member"],
            [host(good), "closed", "member"]
          ]
        )
      })
  )

  it.scopedLive("Given roles, When reads and transactions are made, Then each goes to an endpoint with its role", () =>
    Effect.gen(function* () {
      const signature = "1".repeat(64)
      const [reader, relay] = [
        yield* node(),
        yield* serve({
          onRequest: (request, response) => {
            const [call] = request.calls
            if (call?.method === "sendTransaction") return answer(request, response, signature)
            response.end(`{"jsonrpc":"2.0","id":${call?.id},"error":{"code":-32601,"message":"Method not found"}}`)
          }
        })
      ]
      const rpc = yield* RpcPoolUndici.make({
        endpoints: [endpoint(reader, { roles: ["read"] }), endpoint(relay, { roles: ["send"] })]
      })

      yield* rpc.getBlockHeight()
      assert.strictEqual(yield* rpc.sendTransaction(new Uint8Array(100)), signature)

      assert.deepStrictEqual([asked(reader, "getBlockHeight").length, asked(relay, "getBlockHeight").length], [1, 0])
      assert.deepStrictEqual([asked(reader, "sendTransaction").length, asked(relay, "sendTransaction").length], [0, 1])
    })
  )

  it.scopedLive(
    "Given a node that answers 429, When calls are made, Then all wait for its Retry-After and succeed",
    () =>
      Effect.gen(function* () {
        let since = 0
        const at: Array<number> = []
        const server = yield* node({
          onRequest: (request, response) => {
            at.push(performance.now())
            if (at.length > 1) return answer(request, response, 1)
            since = performance.now()
            response.writeHead(429, { "retry-after": "1" }).end()
          }
        })
        const rpc = yield* RpcPoolUndici.make(endpoint(server))

        const first = yield* Effect.fork(rpc.getBlockHeight())
        yield* until(() => at.length === 1)
        yield* Effect.sleep("50 millis")
        yield* rpc.getTransactionCount()
        yield* Fiber.join(first)

        assert.strictEqual(at.length, 3)
        assert.isAbove(Math.min(...at.slice(1)) - since, 990)
      })
  )

  it.scopedLive("Given a subscription, When its node dies, Then another node serves it and the Stream continues", () =>
    Effect.gen(function* () {
      const held: Array<number> = []
      const holder = (nth: number) =>
        node({
          onSocket: (socket) =>
            socket.on("message", (data) => {
              const [call] = parseCalls(String(data))
              if (call?.method !== "rootSubscribe") return
              held.push(nth)
              socket.send(`{"jsonrpc":"2.0","id":${call.id},"result":1}`)
              socket.send(
                `{"jsonrpc":"2.0","method":"rootNotification","params":{"subscription":1,"result":${held.length}}}`
              )
              if (held.length === 1) setTimeout(() => socket.terminate(), 20)
            })
        })
      const servers = [yield* holder(0), yield* holder(1)]
      const rpc = yield* RpcPoolUndici.make({
        endpoints: servers.map((server) => endpoint(server, { heartbeat: false }))
      })

      const roots = yield* Stream.runCollect(Stream.take(rpc.rootSubscribe, 2))

      assert.deepStrictEqual(Chunk.toReadonlyArray(roots), [1n, 2n])
      assert.strictEqual(new Set(held).size, 2)
    })
  )

  it.scopedLive("Given concurrent reads, When they are equal or read accounts, Then few requests carry them", () =>
    Effect.gen(function* () {
      const server = yield* node({
        onRequest: (request, response) => {
          const [call] = request.calls
          const keys = call?.params[0]
          const value = Array.isArray(keys) ? keys.map(() => null) : null
          answer(request, response, call?.method === "getMultipleAccounts" ? { context: { slot: 1 }, value } : 4)
        }
      })
      const rpc = yield* RpcPoolUndici.make(endpoint(server))
      const addresses = Array.from({ length: 8 }, (_, index) => fromBytes(new Uint8Array(32).fill(index)))

      yield* Effect.all(
        Array.from({ length: 10 }, () => rpc.getBlockHeight()),
        { concurrency: "unbounded" }
      )
      yield* Effect.forEach(addresses, (address) => rpc.getAccountInfo(address), { concurrency: "unbounded" })

      assert.deepStrictEqual(
        server.requests.map(({ calls: [call] }) => call?.method),
        ["getBlockHeight", "getMultipleAccounts"]
      )
    })
  )
})
