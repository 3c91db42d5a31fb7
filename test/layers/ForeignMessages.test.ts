import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import type { WebSocket } from "ws"
import * as Metrics from "../../services/Metrics.js"
import { parseCalls, serve, until } from "./RpcPoolUndiciServer.js"
import type { Call } from "./RpcPoolUndiciServer.js"
import { transports } from "./transports.js"

/** A node that does with each call what the test says. */
const node = (onCall: (call: Call, socket: WebSocket) => void) =>
  serve({
    onSocket: (socket) =>
      socket.on("message", (data) => parseCalls(String(data)).forEach((call) => onCall(call, socket)))
  })

const answer = (id: number, result: unknown) => JSON.stringify({ jsonrpc: "2.0", id, result })

const root = (subscription: unknown, result: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", method: "rootNotification", params: { subscription, result } })

const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

/** Values at the place of an id which `String` cannot turn into text, or only by running out of stack. */
const SHALLOW_NO_IDS = [
  '{"toString":1,"valueOf":1}',
  '{"toString":{},"valueOf":{}}',
  '{"__proto__":null}',
  "null",
  "true",
  "[]",
  "[[1]]"
]

/** A text that is nested deeper than is read costs the socket, whoever it is for. */
const NO_IDS = [...SHALLOW_NO_IDS, deep(100_000), `{"a":${deep(10_000)}}`]

/** Messages that belong to no subscription. */
const FOREIGN = [
  '{"jsonrpc":"2.0"}',
  '{"type":"ping"}',
  "ping",
  "",
  "<html>",
  "null",
  "[]",
  '[{"jsonrpc":"2.0","id":1,"result":1}]',
  '{"jsonrpc":"2.0","id":77,"result":1}',
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}',
  '{"jsonrpc":"2.0","id":"1","result":5}',
  '{"jsonrpc":"2.0","error":{"code":"x"},"id":1}',
  '{"method":"rootNotification","params":[1]}',
  Buffer.from([1, 2, 3]),
  Buffer.from([0xff, 0xfe]),
  Buffer.alloc(0),
  ...SHALLOW_NO_IDS.map((id) => `{"jsonrpc":"2.0","id":${id},"result":1}`),
  ...SHALLOW_NO_IDS.map(
    (id) => `{"jsonrpc":"2.0","method":"rootNotification","params":{"subscription":${id},"result":1}}`
  )
]

describe.each(transports)("Foreign messages over %s", (_, { bare, pool }) => {
  it.scopedLive("Given messages for no subscription, When they arrive, Then they are counted and ignored", () =>
    Effect.gen(function* () {
      const server = yield* node(({ id, method }, socket) => {
        if (method !== "rootSubscribe") return
        for (const message of FOREIGN) socket.send(message)
        socket.send(answer(id, 7))
        socket.send(root(7, 1))
        for (const message of FOREIGN) socket.send(message)
        socket.send(Buffer.from(root(7, 2)))
      })
      const before = yield* Metric.value(Metrics.socketMessagesIgnored)
      const { subscribe } = yield* bare(server)

      const roots = yield* Stream.runCollect(Stream.take(subscribe("root", []), 2))

      assert.deepStrictEqual(Chunk.toReadonlyArray(roots), [1, 2])
      const { count } = yield* Metric.value(Metrics.socketMessagesIgnored)
      assert.isAtLeast(count - before.count, FOREIGN.length)
    })
  )

  it.scopedLive(
    "Given an answer whose id is neither number nor string, When it arrives, Then subscribers fail with Decode",
    () =>
      Effect.gen(function* () {
        for (const id of NO_IDS) {
          const server = yield* node((call, socket) => socket.send(`{"jsonrpc":"2.0","id":${call.id},"result":${id}}`))
          const { subscribe } = yield* bare(server)

          const error = yield* Effect.flip(Stream.runDrain(subscribe("root", [])))

          assert.strictEqual(error.reason, "Decode", id.slice(0, 40))
          yield* until(() => server.sockets.size === 0)
        }
      })
  )

  it.scopedLive(
    "Given a node that answers wrongly once, When a subscriber comes, Then all subscriptions of the socket are made again",
    () =>
      Effect.gen(function* () {
        let wrong = 0
        const server = yield* node(({ id, method }, socket) => {
          if (method === "rootSubscribe" && wrong++ === 0) return socket.send(answer(id, { id }))
          socket.send(answer(id, id))
          if (method === "rootSubscribe") socket.send(root(id, id))
        })
        const rpc = yield* pool(server, { reconnect: { baseDelay: "1 millis" } })

        const roots = yield* Effect.fork(Stream.runCollect(Stream.take(rpc.rootSubscribe, 1)))

        assert.lengthOf(Chunk.toReadonlyArray(yield* Fiber.join(roots)), 1)
      })
  )
})
