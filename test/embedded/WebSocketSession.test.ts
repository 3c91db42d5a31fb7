import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { WebSocket } from "undici"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"

const SUBSCRIPTIONS = 10_000

interface Reply {
  readonly id?: unknown
  readonly method?: string
  readonly result?: unknown
  readonly error?: { readonly code: number }
  readonly params?: { readonly subscription: number; readonly result: unknown }
}

/** A bare client that writes down all it is sent. */
const open = (url: string) =>
  Effect.async<{ readonly socket: WebSocket; readonly received: Array<Reply>; closed: number }>((resume) => {
    const socket = new WebSocket(url)
    const client = { socket, received: new Array<Reply>(), closed: 0 }
    socket.addEventListener("message", ({ data }) => client.received.push(JSON.parse(String(data))))
    socket.addEventListener("close", ({ code }) => {
      client.closed = code
    })
    socket.addEventListener("open", () => resume(Effect.succeed(client)))
  })

const connect = (url: string) => Effect.acquireRelease(open(url), ({ socket }) => Effect.sync(() => socket.close()))

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: condition })

it.scopedLive(
  "Given 10,000 subscriptions of one socket, Then each has its own id, all can end, and one more is refused",
  () =>
    Effect.gen(function* () {
      const { wsUrl } = yield* Server.serve()
      const { socket, received } = yield* connect(wsUrl)
      const call = (id: number, method: string, params: ReadonlyArray<unknown> = []) =>
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
      for (let id = 0; id < SUBSCRIPTIONS; id++) {
        call(id, "accountSubscribe", [SYSTEM_PROGRAM, { dataSlice: { offset: id, length: 1 }, encoding: "base64" }])
      }
      call(-1, "rootSubscribe")
      yield* until(() => received.length === SUBSCRIPTIONS + 1)
      assert.strictEqual(received.pop()?.error?.code, -32603)
      const subscriptions = received.splice(0).map(({ result }) => result)
      assert.lengthOf(Array.from(new Set(subscriptions)), SUBSCRIPTIONS)
      subscriptions.forEach((subscription, id) => call(id, "accountUnsubscribe", [subscription]))
      yield* until(() => received.length === SUBSCRIPTIONS)
      assert.isTrue(received.splice(0).every(({ result }) => result === true))
      call(1, "accountUnsubscribe", [subscriptions[0]])
      call(2, "getHealth")
      yield* until(() => received.length === 2)
      assert.deepStrictEqual(
        received.map(({ error, result }) => error?.code ?? result),
        [-32602, "ok"]
      )
    }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
)

it.scopedLive(
  "Given equal subscriptions of one socket, Then they share one id, one notification and one end, as with Agave",
  () =>
    Effect.gen(function* () {
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      const { wsUrl } = yield* Server.serve()
      const one = yield* connect(wsUrl)
      const two = yield* connect(wsUrl)
      const call = ({ socket }: typeof one, id: number, method: string, params: ReadonlyArray<unknown> = []) =>
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
      for (const client of [one, one, one, two]) call(client, 1, "slotSubscribe")
      yield* until(() => one.received.length === 3 && two.received.length === 1)
      const [id, ...equal] = one.received.splice(0).map(({ result }) => result)
      assert.deepStrictEqual(equal, [id, id])

      yield* cluster.advanceSlots(1)
      call(one, 2, "slotUnsubscribe", [id])
      yield* until(() => one.received.length === 2)
      yield* cluster.advanceSlots(1)
      call(one, 3, "slotUnsubscribe", [id])
      yield* until(() => one.received.length === 3 && two.received.length === 3)

      assert.deepStrictEqual(
        one.received.map(({ error, method, result }) => method ?? error?.code ?? result),
        ["slotNotification", true, -32602]
      )
    }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false, passingSlots: false })))
)

it.scopedLive("Given a message over the limit, When sent, Then the connection is closed as too big", () =>
  Effect.gen(function* () {
    const { wsUrl } = yield* Server.serve({ maxBodyBytes: 1000 })
    const client = yield* connect(wsUrl)
    client.socket.send(" ".repeat(1001))
    yield* until(() => client.closed !== 0)
    assert.strictEqual(client.closed, 1009)
  }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
)

it.live("Given an open socket that the client keeps, When the server's scope closes, Then it closes at once", () =>
  Effect.gen(function* () {
    const client = yield* Effect.scoped(Effect.flatMap(Server.serve(), ({ wsUrl }) => open(wsUrl)))
    yield* until(() => client.closed !== 0)
  }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
)
