import type { IncomingHttpHeaders } from "node:http"
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { WebSocket } from "ws"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import { SubscriptionObserver } from "../../services/SubscriptionObserver.js"
import * as Address from "../../src/solana/Address.js"
import * as Signature from "../../src/solana/Signature.js"
import { parseCalls, serve, until } from "./RpcPoolUndiciServer.js"
import type { Call, Server } from "./RpcPoolUndiciServer.js"

const SYSTEM = Address.SYSTEM_PROGRAM

/** A node that answers as told and keeps what it was asked. */
const node = (onCall: (call: Call, send: (message: unknown) => void, socket: WebSocket) => void) =>
  Effect.gen(function* () {
    const calls: Array<Call> = []
    const opened: Array<WebSocket> = []
    const headers: Array<IncomingHttpHeaders> = []
    const server = yield* serve({
      onSocket: (socket, request) => {
        opened.push(socket)
        headers.push(request.headers)
        socket.on("message", (data) => {
          for (const call of parseCalls(String(data))) {
            calls.push(call)
            onCall(call, (message) => socket.send(JSON.stringify(message)), socket)
          }
        })
      }
    })
    return { server, calls, opened, headers }
  })

const pool = (server: Pick<Server, "url" | "wsUrl">, options: Partial<RpcPoolUndici.Options> = {}) =>
  Effect.map(
    RpcPoolUndici.transport({ url: Redacted.make(server.url), wsUrl: Redacted.make(server.wsUrl), ...options }),
    (transport) => RpcPool.make(transport)
  )

const answered = ({ id }: Call, result: unknown) => ({ jsonrpc: "2.0", id, result })

const notification = (kind: string, subscription: number, result: unknown) => ({
  jsonrpc: "2.0",
  method: `${kind}Notification`,
  params: { subscription, result }
})

describe("RpcPoolUndici subscriptions", () => {
  it.scopedLive("Given two subscribers, When they read and end, Then they share one socket and unsubscribe", () =>
    Effect.gen(function* () {
      const { server, calls, opened } = yield* node((call, send) => {
        const subscription = call.id + 100
        send(answered(call, call.method.endsWith("Unsubscribe") ? true : subscription))
        if (call.method === "slotSubscribe") {
          for (const slot of [1, 2, 3]) send(notification("slot", subscription, { slot, parent: slot - 1, root: 0 }))
        }
        if (call.method === "accountSubscribe") {
          const value = { data: ["AQI=", "base64"], lamports: 5, owner: SYSTEM, executable: false, space: 2 }
          send(notification("account", subscription, { context: { slot: 9 }, value }))
        }
      })
      const rpc = yield* pool(server)

      const [slots, accounts] = yield* Effect.all(
        [
          Stream.runCollect(Stream.take(rpc.slotSubscribe, 3)),
          Stream.runCollect(Stream.take(rpc.accountSubscribe(SYSTEM), 1))
        ],
        { concurrency: "unbounded" }
      )

      assert.deepStrictEqual(
        Chunk.toReadonlyArray(slots).map(({ slot }) => slot),
        [1n, 2n, 3n]
      )
      const [change] = Chunk.toReadonlyArray(accounts)
      assert.strictEqual(change?.slot, 9n)
      assert.deepStrictEqual([...(change?.value.data ?? [])], [1, 2])
      assert.strictEqual(change?.value.address, SYSTEM)
      assert.strictEqual(opened.length, 1)
      const subscribed = calls.find(({ method }) => method === "accountSubscribe")
      assert.deepStrictEqual(subscribed?.params, [SYSTEM, { commitment: "confirmed", encoding: "base64" }])
      yield* until(() => calls.length === 4)
      for (const kind of ["slot", "account"]) {
        const id = calls.find(({ method }) => method === `${kind}Subscribe`)?.id ?? 0
        assert.deepStrictEqual(calls.find(({ method }) => method === `${kind}Unsubscribe`)?.params, [id + 100])
      }
    })
  )

  it.scopedLive(
    "Given a notification before its answer, When the answer comes, Then nothing is lost and the order is kept",
    () =>
      Effect.gen(function* () {
        const { server } = yield* node((call, send) => {
          if (call.method !== "rootSubscribe") return
          send(notification("root", 7, 1))
          send(notification("root", 8, 99))
          send(notification("root", 7, 2))
          send(answered(call, 7))
          send(notification("root", 7, 3))
        })
        const rpc = yield* pool(server)

        const roots = yield* Stream.runCollect(Stream.take(rpc.rootSubscribe, 3))

        assert.deepStrictEqual(Chunk.toReadonlyArray(roots), [1n, 2n, 3n])
      })
  )

  it.scopedLive("Given a signature, When it reaches the commitment, Then one element comes and the Stream ends", () =>
    Effect.gen(function* () {
      const { server } = yield* node((call, send) => {
        if (call.method !== "signatureSubscribe") return
        send(answered(call, 1))
        send(notification("signature", 1, { context: { slot: 4 }, value: { err: null } }))
      })
      const rpc = yield* pool(server)

      const reached = yield* Stream.runCollect(rpc.signatureSubscribe(Signature.fromBytes(new Uint8Array(64))))

      assert.deepStrictEqual(Chunk.toReadonlyArray(reached), [{ slot: 4n, value: { err: null } }])
    })
  )

  it.scopedLive(
    "Given a subscriber that is interrupted before its answer, When the answer comes, Then its id is unsubscribed",
    () =>
      Effect.gen(function* () {
        const late: Array<() => void> = []
        const { server, calls } = yield* node((call, send) => {
          if (call.method === "rootSubscribe") send(answered(call, 1))
          if (call.method === "slotSubscribe") late.push(() => send(answered(call, 2)))
        })
        const rpc = yield* pool(server)
        yield* Effect.forkScoped(Stream.runDrain(rpc.rootSubscribe))

        const fiber = yield* Effect.fork(Stream.runDrain(rpc.slotSubscribe))
        yield* until(() => calls.some(({ method }) => method === "slotSubscribe"))
        yield* Fiber.interrupt(fiber)
        late[0]?.()

        yield* until(() => calls.some(({ method, params }) => method === "slotUnsubscribe" && params[0] === 2))
      })
  )

  it.scopedLive(
    "Given a lost socket, When its queue is read, Then it ends with Closed, and the next subscriber opens another socket",
    () =>
      Effect.gen(function* () {
        const { server, opened } = yield* node((call, send, socket) => {
          if (call.method !== "rootSubscribe") return
          send(answered(call, 1))
          send(notification("root", 1, 5))
          socket.close()
        })
        const rpc = yield* pool(server)
        const read: Array<bigint> = []
        const subscribe = Effect.flip(
          Stream.runForEach(rpc.rootSubscribe, (root) => Effect.sync(() => read.push(root)))
        )

        const first = yield* subscribe
        const second = yield* subscribe

        assert.deepStrictEqual([first.reason, second.reason], ["Closed", "Closed"])
        assert.isTrue(first.isRetryable)
        assert.deepStrictEqual(read, [5n, 5n])
        assert.strictEqual(opened.length, 2)
      })
  )

  it.scopedLive(
    "Given a slow subscriber, When its queue is full, Then it gets the queued notifications and then Overflow",
    () =>
      Effect.gen(function* () {
        const { server, calls } = yield* node((call, send) => {
          if (call.method !== "rootSubscribe") return
          send(answered(call, 1))
          for (let root = 0; root < 50; root++) send(notification("root", 1, root))
        })
        const rpc = yield* pool(server, { maxQueuedNotifications: 8 })
        const gate = yield* Deferred.make<void>()
        const read: Array<bigint> = []
        const fiber = yield* rpc.rootSubscribe.pipe(
          Stream.runForEach((root) =>
            Effect.zipRight(
              Deferred.await(gate),
              Effect.sync(() => read.push(root))
            )
          ),
          Effect.flip,
          Effect.fork
        )
        yield* until(() => calls.some(({ method }) => method === "rootUnsubscribe"))

        yield* Deferred.succeed(gate, undefined)
        const error = yield* Fiber.join(fiber)

        assert.strictEqual(error.reason, "Overflow")
        assert.isAtLeast(read.length, 8)
        assert.isBelow(read.length, 50)
        assert.deepStrictEqual(
          read,
          read.map((_, index) => BigInt(index))
        )
      })
  )

  it.scopedLive(
    "Given a node that refuses, is silent or sends nonsense, When subscribed, Then each fails with the reason of its kind",
    () =>
      Effect.gen(function* () {
        const { server } = yield* node((call, send, socket) => {
          if (call.method === "rootSubscribe") {
            send({ jsonrpc: "2.0", id: call.id, error: { code: -32601, message: "Method not found" } })
          }
          if (call.method === "logsSubscribe") socket.send("<html>")
          if (call.method === "accountSubscribe") {
            send(answered(call, 1))
            send(notification("account", 1, { context: { slot: 1 }, value: null }))
          }
          if (call.method === "programSubscribe") socket.send(Buffer.from([1, 2, 3]))
        })
        const rpc = yield* pool(server)
        const impatient = yield* pool(server, { headersTimeout: "100 millis" })

        const refused = yield* Effect.flip(Stream.runDrain(rpc.rootSubscribe))
        const silent = yield* Effect.flip(Stream.runDrain(impatient.slotSubscribe))
        const html = yield* Effect.flip(Stream.runDrain(impatient.logsSubscribe("all")))
        const wrong = yield* Effect.flip(Stream.runDrain(rpc.accountSubscribe(SYSTEM)))
        const binary = yield* Effect.flip(Stream.runDrain(impatient.programSubscribe(SYSTEM)))
        const nobody = yield* pool({ url: server.url, wsUrl: "ws://127.0.0.1:1" })
        const unreachable = yield* Effect.flip(Stream.runDrain(nobody.rootSubscribe))

        const expected = [
          [refused, "Refused", "rootSubscribe", -32601],
          [silent, "Timeout", "slotSubscribe", undefined],
          [html, "Timeout", "logsSubscribe", undefined],
          [wrong, "Decode", "accountSubscribe", undefined],
          [binary, "Timeout", "programSubscribe", undefined],
          [unreachable, "Connect", "rootSubscribe", undefined]
        ] as const
        for (const [error, reason, method, code] of expected) {
          assert.deepInclude({ code: undefined, ...error }, { reason, method, code })
        }
        assert.include(wrong.message, "result.value")
        yield* until(() => server.sockets.size === 0)
      })
  )

  it.scopedLive(
    "Given a notification longer than the limit, When it comes, Then the socket is lost, not the process",
    () =>
      Effect.gen(function* () {
        const { server } = yield* node((call, send) => {
          if (call.method !== "rootSubscribe") return
          send(answered(call, 1))
          send(notification("root", 1, "x".repeat(5000)))
        })
        const rpc = yield* pool(server, { maxNotificationBytes: 1000 })

        const error = yield* Effect.flip(Stream.runDrain(rpc.rootSubscribe))

        assert.strictEqual(error.reason, "Closed")
        yield* until(() => server.sockets.size === 0)
      })
  )

  it.scopedLive("Given a server that pings, When a subscription is open, Then pongs come back", () =>
    Effect.gen(function* () {
      let pongs = 0
      const { server } = yield* node((call, send, socket) => {
        send(answered(call, 1))
        socket.on("pong", () => pongs++)
        socket.ping()
      })
      const rpc = yield* pool(server)
      yield* Effect.forkScoped(Stream.runDrain(rpc.rootSubscribe))

      yield* until(() => pongs === 1)
    })
  )

  it.scopedLive(
    "Given an open subscription, When the pool's scope closes, Then the socket is cut and the Stream fails",
    () =>
      Effect.gen(function* () {
        const { server, calls } = yield* node((call, send) => send(answered(call, 1)))
        const scope = yield* Scope.make()
        const rpc = yield* Scope.extend(pool(server), scope)
        const fiber = yield* Effect.fork(Effect.flip(Stream.runDrain(rpc.rootSubscribe)))
        yield* until(() => calls.length === 1)

        yield* Scope.close(scope, Exit.void)

        assert.strictEqual((yield* Fiber.join(fiber)).reason, "PoolClosed")
        yield* until(() => server.sockets.size === 0)
      })
  )

  it.scopedLive("Given only an HTTP URL with a port, When subscribed, Then the WebSocket goes to the next port", () =>
    Effect.gen(function* () {
      const { server } = yield* node((call, send) => {
        send(answered(call, 1))
        send(notification("root", 1, 1))
      })
      const rpc = RpcPool.make(
        yield* RpcPoolUndici.transport({ url: Redacted.make(`http://127.0.0.1:${server.port - 1}`) })
      )

      const roots = yield* Stream.runCollect(Stream.take(rpc.rootSubscribe, 1))

      assert.deepStrictEqual(Chunk.toReadonlyArray(roots), [1n])
    })
  )

  it.scopedLive("Given two subscriptions per socket, When five are made, Then three sockets carry them", () =>
    Effect.gen(function* () {
      const { server, calls, opened } = yield* node((call, send) => send(answered(call, call.id)))
      const rpc = yield* pool(server, { maxSubscriptionsPerSocket: 2 })

      for (let nth = 1; nth <= 5; nth++) {
        yield* Effect.forkScoped(Stream.runDrain(rpc.rootSubscribe))
        yield* until(() => calls.length === nth)
      }

      assert.strictEqual(opened.length, 3)
    })
  )

  it.scopedLive(
    "Given the default, When 250 subscriptions are open, Then three sockets carry them, with the headers",
    () =>
      Effect.gen(function* () {
        const { server, calls, opened, headers } = yield* node((call, send) => send(answered(call, call.id)))
        const rpc = yield* pool(server, { headers: { authorization: Redacted.make("Bearer KEY") } })

        for (let nth = 0; nth < 250; nth++) yield* Effect.forkScoped(Stream.runDrain(rpc.rootSubscribe))
        yield* until(() => calls.length === 250)

        assert.strictEqual(opened.length, 3)
        assert.deepStrictEqual(
          headers.map(({ authorization }) => authorization),
          Array.from({ length: 3 }, () => "Bearer KEY")
        )
      })
  )

  it.scopedLive(
    "Given an observer, When a subscription is established, Then the observer is called before the first notification",
    () =>
      Effect.gen(function* () {
        const { server } = yield* node((call, send) => {
          send(answered(call, 1))
          send(notification("root", 1, 1))
        })
        const rpc = yield* pool(server)
        const heard: Array<unknown> = []

        yield* Stream.take(rpc.rootSubscribe, 1).pipe(
          Stream.provideService(SubscriptionObserver, {
            established: ({ host }) => Effect.sync(() => heard.push(host)),
            interrupted: () => Effect.void
          }),
          Stream.runForEach((root) => Effect.sync(() => heard.push(root)))
        )

        assert.deepStrictEqual(heard, [`127.0.0.1:${server.port}`, 1n])
      })
  )

  it.scopedLive("Given a silent socket, When a ping stays without answer, Then it is lost; a live socket is not", () =>
    Effect.gen(function* () {
      const { server, opened } = yield* node((call, send, socket) => {
        send(answered(call, 1))
        if (call.method === "rootSubscribe") Object.assign(socket, { _autoPong: false })
      })
      let pings = 0
      const keepAliveInterval = "300 millis"
      const silent = yield* Effect.fork(
        Effect.flip(Stream.runDrain((yield* pool(server, { keepAliveInterval })).rootSubscribe))
      )
      const living = yield* Effect.fork(Stream.runDrain((yield* pool(server, { keepAliveInterval })).slotSubscribe))
      yield* until(() => opened.length === 2)
      for (const socket of opened) socket.on("ping", () => pings++)

      const error = yield* Fiber.join(silent)
      yield* until(() => pings > 3)

      assert.deepStrictEqual(
        [error.reason, error.detail],
        ["Closed", "the WebSocket was silent and did not answer a ping"]
      )
      assert.isTrue(Option.isNone(yield* Fiber.poll(living)))
    })
  )

  it.scopedLive("Given a port that nobody serves, When subscribed, Then it fails with Connect and the cause", () =>
    Effect.gen(function* () {
      const rpc = yield* pool({ url: "http://127.0.0.1:1", wsUrl: "ws://127.0.0.1:2/SECRET" })

      const error = yield* Effect.flip(Stream.runDrain(rpc.rootSubscribe))

      assert.strictEqual(error.reason, "Connect")
      assert.include(
        error.message,
        "rootSubscribe at 127.0.0.1:1: the WebSocket could not be opened: nothing listens at the endpoint's address and port"
      )
      assert.notInclude(inspect(error, { depth: 8 }), "SECRET")
    })
  )
})
