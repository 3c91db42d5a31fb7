/** Followers over WebSockets that lose notifications, and are lost themselves. */
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type VerifyClientCallbackAsync, WebSocket, WebSocketServer } from "ws"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Follow from "../../services/Follow.js"
import type { RpcPool } from "../../services/RpcPool.js"
import { STRANGER } from "../support/transfers.js"
import * as Poll from "./RpcPoolUndiciServer.js"

const resyncInterval = "1 second"

/** Stands between a client's WebSockets and a node's. */
const relay = (upstream: string) =>
  Effect.acquireRelease(
    Effect.async<{
      readonly wsUrl: string
      readonly server: WebSocketServer
      /** Sockets that were ever opened. */
      opened: number
      /** Whether notifications are lost, other than of slots. */
      loses: boolean
      /** Whether new sockets are refused. */
      isAway: boolean
      readonly cut: () => void
    }>((resume) => {
      // A status that a client retries without an end, as of a gateway whose node restarts.
      const verifyClient: VerifyClientCallbackAsync = (_, accept) => accept(!state.isAway, 503)
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1", verifyClient })
      const state = {
        server,
        wsUrl: "",
        opened: 0,
        loses: false,
        isAway: false,
        cut: () => server.clients.forEach((client) => client.terminate())
      }
      server.on("connection", (client) => {
        state.opened++
        const node = new WebSocket(upstream)
        const early: Array<string> = []
        client.on("message", (data) => {
          if (node.readyState === WebSocket.OPEN) node.send(String(data))
          else early.push(String(data))
        })
        node.on("open", () => early.forEach((text) => node.send(text)))
        node.on("message", (data) => {
          const text = String(data)
          const isLost = state.loses && text.includes("Notification") && !text.includes("slotNotification")
          if (!isLost) client.send(text)
        })
        client.on("close", () => node.terminate())
      })
      server.on("listening", () => {
        state.wsUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed(state))
      })
    }),
    ({ cut, server }) =>
      Effect.async<void>((resume) => {
        cut()
        server.close(() => resume(Effect.void))
      })
  )

/** A follower of a served cluster, through a relay. */
const following = <A, E>(stream: Stream.Stream<A, E, RpcPool>) =>
  Effect.gen(function* () {
    const { url, wsUrl } = yield* Server.serve()
    const between = yield* relay(wsUrl)
    const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
    const told: Array<A> = []
    const pool = RpcPoolUndici.layer({
      url: Redacted.make(url),
      wsUrl: Redacted.make(between.wsUrl),
      reconnect: { baseDelay: "20 millis" }
    })
    const follower = yield* stream.pipe(
      Stream.runForEach((update) => Effect.sync(() => told.push(update))),
      Effect.provide(pool),
      Effect.forkScoped
    )
    /** Waits for the condition, or fails with the follower. */
    const until = (condition: () => boolean) => Effect.raceFirst(Poll.until(condition), Fiber.join(follower))
    return { between, told, until, pay: airdrop(STRANGER, 1_000_000_000n) }
  })

const cluster = Effect.provide(
  EmbeddedCluster.layer({ podProgram: false, blockMode: "interval", slotDuration: "40 millis" }).pipe(Layer.orDie)
)

const story = (told: ReadonlyArray<Follow.Update<{ readonly lamports: bigint }>>) =>
  told.map((update) => (update._tag === "Value" ? Number(update.value.lamports / 1_000_000_000n) : update._tag))

describe("Follow over WebSockets", () => {
  it.scopedLive(
    "Given an account, When notifications or the socket are lost, Then each gap is emitted and the last state is not missed",
    () =>
      Effect.gen(function* () {
        const { between, pay, told, until } = yield* following(Follow.account(STRANGER, { resyncInterval }))
        yield* until(() => between.opened > 0)
        yield* pay
        yield* until(() => told.length === 1)

        between.loses = true
        yield* pay
        yield* until(() => told.length === 3)
        const opened = between.opened
        between.loses = false
        yield* pay
        yield* until(() => told.length === 4)
        between.isAway = true
        between.cut()
        yield* pay
        yield* pay
        yield* Effect.sleep("200 millis")
        between.isAway = false
        yield* until(() => told.length === 6)

        assert.deepStrictEqual(story(told), [1, "Gap", 2, 3, "Gap", 5])
        assert.isAbove(between.opened, opened)
      }).pipe(cluster)
  )

  it.scopedLive(
    "Given logs of an address, When notifications or the socket are lost, Then each transaction is emitted once",
    () =>
      Effect.gen(function* () {
        const { between, pay, told, until } = yield* following(Follow.logs(STRANGER, { resyncInterval }))
        yield* until(() => between.opened > 0)
        yield* Effect.sleep("200 millis")
        const paid = [yield* pay]
        yield* until(() => told.length === 1)

        between.loses = true
        paid.push(yield* pay)
        yield* Effect.sleep("200 millis")
        between.loses = false
        paid.push(yield* pay)
        yield* until(() => told.length === 3)
        between.isAway = true
        between.cut()
        paid.push(yield* pay)
        yield* Effect.sleep("200 millis")
        between.isAway = false
        yield* until(() => told.length === 4)
        yield* Effect.sleep("2 seconds")

        const signatures = told.map((update) => (update._tag === "Value" ? update.value.signature : update._tag))
        assert.deepStrictEqual(signatures.toSorted(), paid.toSorted())
      }).pipe(cluster)
  )

  it.scopedLive("Given a signature, When its notification is lost, Then its result is emitted", () =>
    Effect.gen(function* () {
      const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
      const { url, wsUrl } = yield* Server.serve()
      const between = yield* relay(wsUrl)
      between.loses = true
      const signature = yield* airdrop(STRANGER, 1_000_000_000n)
      const told = yield* Follow.signature(signature, { commitment: "finalized", resyncInterval }).pipe(
        Stream.runCollect,
        Effect.provide(RpcPoolUndici.layer({ url: Redacted.make(url), wsUrl: Redacted.make(between.wsUrl) }))
      )

      assert.deepStrictEqual(
        Array.from(told, ({ value }) => value),
        [{ err: null }]
      )
    }).pipe(cluster)
  )
})
