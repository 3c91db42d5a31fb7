import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo, Server, Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Deadline from "../../services/Deadline.js"
import * as RetryPolicy from "../../services/RetryPolicy.js"
import * as RpcPool from "../../services/RpcPool.js"
import type * as Retry from "../../services/transport/Retry.js"
import { answer, serve, until } from "./RpcPoolUndiciServer.js"

const sockets = (url: string, options: Partial<RpcPoolUndici.SocketOptions> = {}) =>
  Effect.map(RpcPoolUndici.transport({ url: Redacted.make(url), ...options }), (transport) => RpcPool.make(transport))

const burst = (rpc: RpcPool.Service, count: number) =>
  Effect.all(
    Array.from({ length: count }, () => rpc.getSlot()),
    { concurrency: "unbounded", discard: true }
  )

/** A server that accepts connections and sends nothing. */
const silent = Effect.map(
  Effect.acquireRelease(
    Effect.async<{ readonly server: Server; readonly open: ReadonlySet<Socket> }>((resume) => {
      const open = new Set<Socket>()
      const server = createServer((socket) => {
        open.add(socket)
        socket
          .on("error", () => undefined)
          .on("close", () => open.delete(socket))
          .resume()
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, open })))
    }),
    ({ server }) => Effect.sync(() => server.close())
  ),
  ({ open, server }) => ({ open, port: (server.address() as AddressInfo).port })
)

/** A node that answers after so long and says how many it did at once. */
const slow = (millis: number) =>
  Effect.gen(function* () {
    let inFlight = 0
    let most = 0
    const server = yield* serve({
      onRequest: (request, response) => {
        most = Math.max(most, ++inFlight)
        setTimeout(() => {
          inFlight--
          answer(request, response, 1)
        }, millis)
      }
    })
    return { ...server, most: () => most }
  })

/** Seconds until Linux probes the connection to this port, where it does so. */
const probedIn = (port: number): number | undefined => {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`
  const fields = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((line) => line[2] === remote && line[3] === "01")
  const [kind, ticks = "0"] = fields?.[5]?.split(":") ?? []
  return kind === "02" ? Number.parseInt(ticks, 16) / 100 : undefined
}

describe("RpcPoolUndici options on a real socket", () => {
  it.scopedLive("Given a limit of connections, When more calls are made, Then no more connections are open", () =>
    Effect.gen(function* () {
      for (const connections of [1, 5]) {
        const server = yield* slow(10)
        yield* burst(yield* sockets(server.url, { connections }), 20)
        assert.deepStrictEqual([server.most(), server.sockets.size], [connections, connections])
      }
    })
  )

  it.scopedLive("Given minIdleConnections, When a connection is used or lost, Then another replaces it", () =>
    Effect.gen(function* () {
      const server = yield* slow(0)
      const rpc = yield* sockets(server.url, { minIdleConnections: 2 })
      yield* until(() => server.sockets.size === 2)

      yield* rpc.getSlot()
      yield* until(() => server.sockets.size === 3)
      for (const socket of server.sockets) socket.destroy()
      yield* until(() => server.sockets.size === 0)
      yield* until(() => server.sockets.size === 2)

      assert.strictEqual(server.requests.length, 1)
    })
  )

  it.scopedLive("Given a handshake that never ends, When the scope of the pool closes, Then its socket closes", () =>
    Effect.gen(function* () {
      const { open, port } = yield* silent
      const scope = yield* Scope.make()
      const rpc = yield* Scope.extend(sockets(`https://127.0.0.1:${port}`), scope)
      const call = yield* Effect.fork(Effect.flip(rpc.getSlot()))
      yield* until(() => open.size === 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(call)).reason, "Transport")
      yield* until(() => open.size === 0)
    })
  )

  it.scopedLive(
    "Given a server that never finishes its handshake, When called, Then the connection timeout ends the call",
    () =>
      Effect.gen(function* () {
        const { port } = yield* silent
        const rpc = yield* sockets(`https://127.0.0.1:${port}`, { connectTimeout: "100 millis" })

        const [elapsed, error] = yield* Effect.timed(Effect.flip(rpc.getSlot()))

        assert.strictEqual(error.reason, "Timeout")
        assert.include(error.message, `127.0.0.1:${port}`)
        assert.isTrue(Duration.lessThan(elapsed, "3 seconds"))
      })
  )

  it.scopedLive(
    "Given an idle timeout, When a connection is idle for its duration, Then it is closed, and not earlier",
    () =>
      Effect.gen(function* () {
        const server = yield* slow(0)
        yield* (yield* sockets(server.url, { keepAliveTimeout: "50 millis" })).getSlot()
        // The server offers a minute, in the header Keep-Alive.
        yield* Effect.timeout(
          until(() => server.sockets.size === 0),
          "10 seconds"
        )
        yield* (yield* sockets(server.url)).getSlot()
        yield* Effect.sleep("200 millis")

        assert.strictEqual(server.sockets.size, 1)
      })
  )

  it.scopedLive.skipIf(process.platform !== "linux")(
    "Given a keep-alive interval, When a connection is idle, Then the system probes it after this interval",
    () =>
      Effect.gen(function* () {
        for (const seconds of [3, 40]) {
          const server = yield* slow(0)
          yield* (yield* sockets(server.url, { keepAliveInterval: Duration.seconds(seconds) })).getSlot()
          const left = probedIn(server.port)
          assert.isTrue(left !== undefined && left <= seconds && left > seconds - 3, `${left} of ${seconds} seconds`)
        }
      })
  )

  it.scopedLive("Given a request timeout, When a reply trickles, Then the call and its request end", () =>
    Effect.gen(function* () {
      let isClosed = false
      const server = yield* serve({
        onRequest: (_, response) => {
          const timer = setInterval(() => response.write(" "), 5)
          response.on("close", () => {
            clearInterval(timer)
            isClosed = true
          })
        }
      })
      const rpc = yield* sockets(server.url, { requestTimeout: "100 millis" })

      const error = yield* Effect.flip(rpc.getSlot())

      assert.deepStrictEqual([error.reason, error.detail], ["Timeout", "no answer within 100 ms"])
      yield* until(() => isClosed)
    })
  )

  it.scopedLive("Given a caller's deadline, When it passes, Then the request ends", () =>
    Effect.gen(function* () {
      const server = yield* slow(60_000)
      const rpc = yield* sockets(server.url)

      const [elapsed, error] = yield* Effect.timed(Effect.flip(rpc.getSlot().pipe(Deadline.within("50 millis"))))

      assert.strictEqual(error.reason, "Timeout")
      assert.isTrue(Duration.lessThan(elapsed, "2 seconds"))
    })
  )

  it.scopedLive("Given a limit of attempts, When a node fails for a while, Then no more attempts are made", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        onRequest: (request, response) => {
          if (server.requests.length % 3 === 0) answer(request, response, 9)
          else response.writeHead(503).end()
        }
      })
      const url = Redacted.make(server.url)
      const make = (retry: Retry.Options | false) => RpcPoolUndici.make({ url, retry })

      assert.strictEqual(yield* (yield* make({ maxAttempts: 3, baseDelay: "1 millis" })).getSlot(), 9n)
      assert.strictEqual(server.requests.length, 3)
      const gaveUp = yield* Effect.flip((yield* make({ maxAttempts: 2, baseDelay: "1 millis" })).getSlot())
      assert.deepStrictEqual([gaveUp.status, server.requests.length], [503, 5])
      yield* (yield* make(false)).getSlot()
      const once = yield* Effect.flip(RetryPolicy.never((yield* make({ maxAttempts: 3 })).getSlot()))
      assert.deepStrictEqual([once.status, server.requests.length], [503, 7])
    })
  )
})
