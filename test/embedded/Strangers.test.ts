/** What strangers send to a served cluster that is well-formed and too much: it costs them, not others. */
import { assert, describe, it } from "@effect/vitest"
import { Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import * as JsonRpc from "../../layers/embedded/rpc/JsonRpc.js"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { held } from "../support/heap.js"
import { addressOf } from "./support.js"

const cluster = Effect.provide(EmbeddedCluster.layer({ podProgram: false, passingSlots: false }))

const request = (id: number | string, method = "getSlot", params: ReadonlyArray<unknown> = []) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params })

const array = (count: number) => `[${Array.from({ length: count }, (_, id) => request(id)).join(",")}]`

const MAX_SPACE = 10_485_760

/** An account of the maximum size. */
const largest = Effect.gen(function* () {
  const { setAccount } = yield* EmbeddedCluster.EmbeddedCluster
  const address = addressOf(Keypair.generate())
  const write = (first: number) => {
    const data = new Uint8Array(MAX_SPACE)
    data[0] = first
    return setAccount({ address, lamports: 80_000_000_000n, owner: SYSTEM_PROGRAM, data })
  }
  yield* write(1)
  return { address, write }
})

const connect = (url: string) =>
  Effect.acquireRelease(
    Effect.async<{ readonly socket: WebSocket; readonly received: Array<string>; closed: number }>((resume) => {
      const socket = new WebSocket(url)
      const client = { socket, received: new Array<string>(), closed: 0 }
      socket.on("message", (data: Buffer) => client.received.push(data.toString()))
      socket.on("close", (code) => (client.closed = code))
      socket.on("open", () => resume(Effect.succeed(client)))
    }),
    ({ socket }) => Effect.sync(() => socket.terminate())
  )

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: condition })

it.live("Given an array of thousands of requests, When it is answered, Then others get their turns between", () =>
  Effect.gen(function* () {
    let calls = 0
    const seen: Array<number> = []
    const watch = setInterval(() => seen.push(calls), 0)
    const reply = yield* JsonRpc.answer(array(10_000), () => Effect.sync(() => ++calls))
    clearInterval(watch)
    assert.strictEqual(JSON.parse(reply ?? "").length, 10_000)
    assert.isAbove(new Set(seen).size, 2)
  })
)

it.effect(
  "Given an array of more requests, or of anything else, When it is answered, Then the answer is one error",
  () =>
    Effect.gen(function* () {
      for (const text of [array(10_001), `[${"1,".repeat(400_000)}1]`]) {
        const reply = yield* JsonRpc.answer(text, () => Effect.dieMessage("no request is answered"))
        assert.include(reply, '"code":-32600')
        assert.isBelow(reply?.length ?? 0, 200)
      }
    })
)

it.scopedLive(
  "Given a client that sends arrays faster than they are answered, When it goes on, Then it has to wait",
  () =>
    Effect.gen(function* () {
      const { url, wsUrl } = yield* Server.serve({ port: 0 })
      const client = yield* connect(wsUrl)
      const text = array(2000)
      for (let count = 0; count < 300; count++) client.socket.send(text)
      yield* until(() => client.received.length > 0)
      // The rest is in the buffers of the two sockets.
      assert.isAbove(client.socket.bufferedAmount, 100 * text.length)
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: request(1) }
      const reply = yield* Effect.promise(() => fetch(url, init).then((response) => response.text()))
      assert.include(reply, '"result"')
      yield* until(() => client.received.length > 5)
    }).pipe(cluster)
)

it.live("Given replies that are too long together, When an array is answered, Then the later calls are refused", () =>
  Effect.gen(function* () {
    let calls = 0
    const long = () => Effect.sync(() => (calls++, "x".repeat(1000)))
    const replies: ReadonlyArray<object> = JSON.parse((yield* JsonRpc.answer(array(100), long, 5000)) ?? "")
    assert.strictEqual(calls, 5)
    assert.lengthOf(replies, 100)
    assert.deepInclude(replies[99], {
      id: 99,
      error: { code: -32603, message: "the earlier replies are too long: send smaller arrays" }
    })
  })
)

it.effect("Given a reply that cannot be written, When it is answered, Then the answer is an error with its id", () =>
  Effect.gen(function* () {
    const endless: Array<unknown> = []
    endless.push(endless)
    const reply = yield* JsonRpc.answer(request("mine"), () => Effect.succeed(endless))
    assert.deepStrictEqual(JSON.parse(reply ?? ""), {
      jsonrpc: "2.0",
      id: "mine",
      error: { code: -32603, message: "the reply is too long" }
    })
  })
)

/** The id in the answer to a request with this id, as JSON; undefined if it was refused. */
const answered = (id: string) =>
  Effect.map(
    JsonRpc.answer(`{"jsonrpc":"2.0","id":${id},"method":"m"}`, () => Effect.succeed(0)),
    (reply) => /"id":(.*),"result"/.exec(reply ?? "")?.[1]
  )

it.effect("Given ids of any type, When a request is answered, Then only those of JSON-RPC come back", () =>
  Effect.gen(function* () {
    for (const id of ["1", "1.5", "-1", '"a"', '""', "null", "123456789012345678901234567890", '"__proto__"']) {
      assert.strictEqual(yield* answered(id), id)
    }
    for (const id of ["true", "[]", "{}", '{"a":1}', "1e400", "-1e400", "[1]"]) {
      assert.isUndefined(yield* answered(id))
    }
  })
)

it.effect("Given accounts of ten megabytes, When many are asked for at once, Then the call is refused", () =>
  Effect.gen(function* () {
    const { request } = yield* EmbeddedCluster.EmbeddedCluster
    const { address } = yield* largest
    const many = (count: number, config: object) =>
      request("getMultipleAccounts", [Array.from({ length: count }, () => address), { encoding: "base64", ...config }])
    assert.deepInclude(yield* Effect.flip(many(100, {})), { code: -32012 })
    yield* many(1, {})
    yield* many(100, { dataSlice: { offset: 0, length: 100 } })
  }).pipe(cluster)
)

it.scopedLive("Given parameters nested very deep, When sent over a socket, Then it answers, and stays open", () =>
  Effect.gen(function* () {
    const { wsUrl } = yield* Server.serve()
    const { received, socket } = yield* connect(wsUrl)
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    for (const method of ["accountSubscribe", "slotUnsubscribe", "getBalance"]) {
      socket.send(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${deep}}`)
    }
    socket.send(request(2))
    yield* until(() => received.length === 4)
    assert.isTrue(received.slice(0, 3).every((text) => text.includes("-32700")))
    assert.include(received[3], '"result"')
  }).pipe(cluster)
)

// Alone, because it measures the heap of the process.
describe.sequential("a heap", () => {
  it.scopedLive("Given subscribe calls of a megabyte, When they are open, Then their texts are not kept", () =>
    Effect.gen(function* () {
      const { wsUrl } = yield* Server.serve()
      const { received, socket } = yield* connect(wsUrl)
      const before = held()
      for (let id = 0; id < 60; id++) {
        socket.send(request(id, "accountSubscribe", [SYSTEM_PROGRAM, {}, id, "x".repeat(1_000_000)]))
      }
      yield* until(() => received.length === 60)
      assert.lengthOf(Array.from(new Set(received)), 60)
      assert.isBelow(held() - before, 30_000_000)
    }).pipe(cluster)
  )
})

it.scopedLive("Given a subscriber that does not read, When too much waits for it, Then it is closed at once", () =>
  Effect.gen(function* () {
    const { activity } = yield* EmbeddedCluster.EmbeddedCluster
    const { address, write } = yield* largest
    const { wsUrl } = yield* Server.serve()
    const client = yield* connect(wsUrl)
    for (let offset = 0; offset < 50; offset++) {
      const slice = { offset, length: MAX_SPACE }
      const params = [address, { encoding: "base64", commitment: "processed", dataSlice: slice }]
      client.socket.send(request(offset, "accountSubscribe", params))
    }
    yield* until(() => client.received.length === 50)
    client.socket.pause()
    assert.strictEqual((yield* activity).subscriptions, 50)
    yield* write(2)
    assert.strictEqual((yield* activity).subscriptions, 0)
    client.socket.resume()
    yield* until(() => client.closed !== 0)
    assert.strictEqual(client.closed, 1008)
    assert.isBelow(client.received.length, 56)
  }).pipe(cluster)
)

it.scopedLive("Given two sockets, When one unsubscribes with the other's ids, Then it is refused", () =>
  Effect.gen(function* () {
    const { advanceSlots } = yield* EmbeddedCluster.EmbeddedCluster
    const { wsUrl } = yield* Server.serve()
    const one = yield* connect(wsUrl)
    const two = yield* connect(wsUrl)
    one.socket.send(request(1, "slotSubscribe"))
    yield* until(() => one.received.length === 1)
    for (const id of [0, 1, "0", null, [0], -1, 0.5]) two.socket.send(request(2, "slotUnsubscribe", [id]))
    yield* until(() => two.received.length === 7)
    assert.isTrue(two.received.every((text) => text.includes("-32602")))
    yield* advanceSlots(1)
    yield* until(() => one.received.length === 2)
    assert.include(one.received[1], "slotNotification")
  }).pipe(cluster)
)
