import { spawn } from "node:child_process"
import { inspect } from "node:util"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import type { RpcError, SubscriptionError } from "../../services/RpcTransport.js"
import { held } from "../support/heap.js"
import { recorder } from "../support/spans.js"
import { answer, serve, until } from "./RpcPoolUndiciServer.js"

const pool = (url: string, options: Partial<RpcPoolUndici.Options> = {}) =>
  Effect.map(RpcPoolUndici.transport({ url: Redacted.make(url), ...options }), (transport) => RpcPool.make(transport))

describe("RpcPoolUndici over HTTP", () => {
  it.scopedLive("Given a node, When getSlot is called, Then it POSTs one JSON-RPC request and keeps every digit", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        onRequest: ({ calls: [call] }, response) =>
          response.end(`{"jsonrpc":"2.0","id":${call?.id},"result":18446744073709551615}`)
      })
      const rpc = yield* pool(`${server.url}/v1/KEY?token=KEY`, {
        headers: { authorization: Redacted.make("Bearer KEY") }
      })

      const slot = yield* rpc.getSlot({ minContextSlot: 9_007_199_254_740_993n })

      assert.strictEqual(slot, 18_446_744_073_709_551_615n)
      const [request] = server.requests
      assert.strictEqual(request?.path, "/v1/KEY?token=KEY")
      assert.strictEqual(request?.headers["content-type"], "application/json")
      assert.strictEqual(request?.headers.authorization, "Bearer KEY")
      assert.strictEqual(
        request?.body,
        '{"jsonrpc":"2.0","id":1,"method":"getSlot","params":[{"commitment":"confirmed","minContextSlot":9007199254740993}]}'
      )
    })
  )

  it.scopedLive("Given a call without an answer, When it is interrupted, Then the server sees the request end", () =>
    Effect.gen(function* () {
      let isClosed = false
      const server = yield* serve({
        onRequest: (_, response) => response.on("close", () => (isClosed = true))
      })
      const rpc = yield* pool(server.url)

      const fiber = yield* Effect.fork(rpc.getSlot())
      yield* until(() => server.requests.length === 1)
      yield* Fiber.interrupt(fiber)

      yield* until(() => isClosed)
    })
  )

  it.scopedLive("Given one busy connection, When a waiting call is interrupted, Then it is never sent", () =>
    Effect.gen(function* () {
      const answers: Array<() => void> = []
      const server = yield* serve({
        onRequest: (request, response) => answers.push(() => answer(request, response, 1))
      })
      const rpc = yield* pool(server.url, { connections: 1 })

      const busy = yield* Effect.fork(rpc.getSlot())
      yield* until(() => server.requests.length === 1)
      const waiting = yield* Effect.fork(rpc.getBlockHeight())
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      answers[0]?.()
      yield* Fiber.join(busy)
      const next = yield* Effect.fork(rpc.getTransactionCount())
      yield* until(() => server.requests.length === 2)
      answers[1]?.()
      yield* Fiber.join(next)

      assert.deepStrictEqual(
        server.requests.map(({ calls: [call] }) => call?.method),
        ["getSlot", "getTransactionCount"]
      )
    })
  )

  it.scopedLive("Given replies longer than the limit, When they are read, Then the call fails and reading stops", () =>
    Effect.gen(function* () {
      let isClosed = false
      const server = yield* serve({
        onRequest: ({ calls: [call] }, response) => {
          if (call?.method === "getHealth") return void response.end("x".repeat(2000))
          const timer = setInterval(() => response.write("x".repeat(100)), 1)
          response.on("close", () => {
            clearInterval(timer)
            isClosed = true
          })
        }
      })
      const rpc = yield* pool(server.url, { maxReplyBytes: 1000 })

      const known = yield* Effect.flip(rpc.getHealth)
      const endless = yield* Effect.flip(rpc.getSlot())

      assert.deepStrictEqual([known.reason, endless.reason], ["Decode", "Decode"])
      assert.include(endless.message, "longer than 1000 bytes")
      yield* until(() => isClosed)
    })
  )

  it.scopedLive(
    "Given compressed replies, When they are read, Then gzip is inflated up to the limit, and other encodings are refused",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({
          onRequest: (request, response) => {
            const [call] = request.calls
            assert.strictEqual(request.headers["accept-encoding"], "gzip")
            const encoding = call?.method === "getVersion" ? "br" : "gzip"
            response.setHeader("content-encoding", encoding)
            const size = call?.method === "getHealth" ? 1_000_000 : 0
            const text = JSON.stringify({ jsonrpc: "2.0", id: call?.id, result: 7, padding: "x".repeat(size) })
            response.end(call?.method === "getIdentity" ? "not gzip" : gzipSync(text))
          }
        })
        const rpc = yield* pool(server.url, { maxReplyBytes: 10_000 })

        assert.strictEqual(yield* rpc.getSlot(), 7n)
        assert.include((yield* Effect.flip(rpc.getHealth)).detail, "longer than")
        assert.include((yield* Effect.flip(rpc.getVersion)).detail, "content-encoding")
        assert.include((yield* Effect.flip(rpc.getIdentity)).detail, "not valid gzip")
      })
  )

  it.scopedLive(
    "Given replies that are no answers, When they are read, Then each fails with the reason of its kind",
    () =>
      Effect.gen(function* () {
        const replies: ReadonlyArray<readonly [status: number, body: (id: number) => string]> = [
          [200, () => "<html>maintenance</html>"],
          [502, () => "<html>bad gateway</html>"],
          [403, () => "{}"],
          [200, (id) => `{"jsonrpc":"2.0","id":${id + 1},"result":1}`],
          [200, () => "[]"],
          [200, (id) => `{"jsonrpc":"2.0","id":${id},"result":-1}`],
          [200, () => `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`],
          [200, (id) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32005,"message":"behind","data":{"n":1}}}`]
        ]
        const server = yield* serve({
          onRequest: ({ calls: [call] }, response) => {
            const reply = replies[(call?.id ?? 0) - 1]
            response.statusCode = reply?.[0] ?? 500
            response.end(reply?.[1](call?.id ?? 0))
          }
        })
        const rpc = yield* pool(server.url)

        const errors = yield* Effect.forEach(replies, () => Effect.flip(rpc.getSlot()))

        assert.deepStrictEqual(
          errors.map(({ reason, isRetryable, status, code }) => ({ reason, isRetryable, status, code })),
          [
            { reason: "Decode", isRetryable: false, status: undefined, code: undefined },
            { reason: "HttpStatus", isRetryable: true, status: 502, code: undefined },
            { reason: "HttpStatus", isRetryable: false, status: 403, code: undefined },
            { reason: "Decode", isRetryable: false, status: undefined, code: undefined },
            { reason: "Decode", isRetryable: false, status: undefined, code: undefined },
            { reason: "Decode", isRetryable: false, status: undefined, code: undefined },
            { reason: "Node", isRetryable: false, status: undefined, code: -32700 },
            { reason: "Node", isRetryable: true, status: undefined, code: -32005 }
          ]
        )
        assert.strictEqual(errors[5]?.detail, "expected a u64 at result")
        assert.deepStrictEqual(errors[7]?.data, { n: 1 })
        assert.strictEqual(
          errors[7]?.message,
          `getSlot at 127.0.0.1:${server.port}: behind (code -32005); try again later, or use another endpoint`
        )
      })
  )

  it.scopedLive("Given 429 replies, When they are read, Then Retry-After is parsed as seconds and as a date", () =>
    Effect.gen(function* () {
      const waits = [
        ["retry-after", "7"],
        ["retry-after", "Fri, 31 Dec 2100 23:59:59 GMT"],
        ["x-none", "1"]
      ] as const
      const server = yield* serve({
        onRequest: ({ calls: [call] }, response) => {
          const [name, value] = waits[(call?.id ?? 0) - 1] ?? waits[0]
          response.writeHead(429, { [name]: value }).end()
        }
      })
      const rpc = yield* pool(server.url)

      const [seconds, date, none] = yield* Effect.forEach(waits, () => Effect.flip(rpc.getSlot()))

      assert.strictEqual(seconds?.reason, "RateLimited")
      assert.isTrue(seconds?.isRetryable)
      assert.strictEqual(
        Option.map(Option.fromNullable(seconds?.retryAfter), Duration.toSeconds).pipe(Option.getOrNull),
        7
      )
      assert.isTrue(date?.retryAfter !== undefined && Duration.greaterThan(date.retryAfter, "365 days"))
      assert.isUndefined(none?.retryAfter)
    })
  )

  it.scopedLive(
    "Given a connection cut mid-body or a port that nobody serves, When called, Then the call fails with Transport",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({
          onRequest: (_, response) => {
            response.writeHead(200, { "content-length": "1000" })
            response.write('{"jsonrpc":')
            setImmediate(() => response.destroy())
          }
        })
        const cut = yield* Effect.flip((yield* pool(server.url)).getSlot())
        const refused = yield* Effect.flip((yield* pool("http://127.0.0.1:1")).getSlot())

        assert.deepStrictEqual([cut.reason, refused.reason], ["Transport", "Transport"])
        assert.isTrue(cut.isRetryable && refused.isRetryable)
      })
  )

  it.scopedLive(
    "Given an interim response, When the connection is cut behind it, Then the call fails with Transport",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({
          onRequest: ({ calls: [call] }, response) =>
            response.writeEarlyHints({ link: "</a>; rel=preload" }, () => {
              if (call?.method !== "getHealth") response.destroy()
            })
        })
        const rpc = yield* pool(server.url, { wsUrl: server.wsUrl, headersTimeout: "200 millis" })

        const [cut, silent] = yield* Effect.all([Effect.flip(rpc.getSlot()), Effect.flip(rpc.getHealth)])
        const unopened = yield* Effect.flip(Stream.runDrain(rpc.slotSubscribe))

        assert.deepStrictEqual([cut.reason, silent.reason], ["Transport", "Timeout"])
        assert.deepInclude(unopened, { reason: "Connect", isRetryable: true })
        assert.isUndefined(unopened.status)
      })
  )

  it.scopedLive(
    "Given a silent node, When it sends no headers or stops mid-body, Then the call fails with Timeout",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({
          onRequest: ({ calls: [call] }, response) => {
            if (call?.method === "getHealth") response.write("{")
          }
        })
        const rpc = yield* pool(server.url, { headersTimeout: "50 millis", bodyTimeout: "50 millis" })

        const errors = yield* Effect.all([Effect.flip(rpc.getSlot()), Effect.flip(rpc.getHealth)], {
          concurrency: "unbounded"
        })

        assert.deepStrictEqual(
          errors.map(({ reason }) => reason),
          ["Timeout", "Timeout"]
        )
      })
  )

  it.scopedLive("Given an array of calls, When items are refused, missing or doubled, Then only those items fail", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        onRequest: ({ calls }, response) => {
          const [a, b, , d] = calls.map(({ id }) => id)
          response.end(
            JSON.stringify([
              { jsonrpc: "2.0", id: d, result: "d" },
              { jsonrpc: "2.0", id: b, error: { code: -32602, message: "Invalid params" } },
              { jsonrpc: "2.0", id: d, result: "again" },
              { jsonrpc: "2.0", id: a, result: "a" }
            ])
          )
        }
      })
      const rpc = yield* pool(server.url)

      const items = yield* rpc.batch(["a", "b", "c", "d"].map((method) => ({ method, params: [] })))

      assert.strictEqual(server.requests.length, 1)
      assert.deepStrictEqual(
        items.map(Either.match({ onLeft: ({ reason, method }) => [reason, method], onRight: (result) => result })),
        ["a", ["Node", "b"], ["Decode", "c"], ["Decode", "d"]]
      )
      assert.deepStrictEqual(yield* rpc.batch([]), [])
      assert.strictEqual(server.requests.length, 1)
    })
  )

  it.scopedLive(
    "Given an array of calls, When the reply is no array or has an unknown id, Then the whole array fails",
    () =>
      Effect.gen(function* () {
        const bodies = [
          '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no arrays here"}}',
          '[{"jsonrpc":"2.0","id":999,"result":1}]',
          "[null]"
        ]
        const server = yield* serve({
          onRequest: (_, response) => response.end(bodies[server.requests.length - 1])
        })
        const rpc = yield* pool(server.url)

        const errors = yield* Effect.forEach(bodies, () => Effect.flip(rpc.batch([{ method: "a", params: [] }])))

        assert.deepStrictEqual(
          errors.map(({ reason, method }) => [reason, method]),
          [
            ["Node", "batch"],
            ["Decode", "batch"],
            ["Decode", "batch"]
          ]
        )
      })
  )

  it.scopedLive("Given secrets in the URL, When calls succeed and fail, Then no span, error or log contains them", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        onRequest: (request, response) => {
          const [call] = request.calls
          if (call?.method === "getSlot") return answer(request, response, 1)
          if (call?.method === "getHealth") return void response.destroy()
          response.writeHead(call?.method === "getVersion" ? 500 : 200).end("<html>")
        }
      })
      const { layer: traced, spans } = recorder()
      const logs: Array<unknown> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.map(Logger.stringLogger, (line) => logs.push(line))
      )
      const rpc = yield* pool(`${server.url}/SECRET-1?api-key=SECRET-2`, {
        wsUrl: Redacted.make("ws://127.0.0.1:1/SECRET-3"),
        headers: { "x-token": Redacted.make("SECRET-4") }
      })

      const calls: ReadonlyArray<Effect.Effect<unknown, RpcError | SubscriptionError>> = [
        rpc.getSlot(),
        rpc.getHealth,
        rpc.getVersion,
        rpc.getIdentity,
        rpc.batch([{ method: "x", params: [] }]),
        Stream.runDrain(rpc.slotSubscribe)
      ]
      const exits = yield* Effect.forEach(calls, (call) =>
        Effect.exit(Effect.tapErrorCause(call, (cause) => Effect.logError("failed", cause)))
      ).pipe(Effect.provide([traced, logger]))

      const text = inspect({ spans, exits, logs }, { depth: 12, maxStringLength: null })
      assert.strictEqual(logs.length, 5)
      assert.notInclude(text, "SECRET")
      assert.deepStrictEqual(
        spans.map(({ kind, name }) => [name, kind]),
        ["getSlot", "getHealth", "getVersion", "getIdentity", "batch"].map((name) => [name, "client"])
      )
      assert.strictEqual(spans[0]?.attributes.get("server.address"), "127.0.0.1")
      assert.strictEqual(spans[0]?.attributes.get("server.port"), server.port)
      assert.strictEqual(spans[2]?.attributes.get("error.type"), "HttpStatus")
    })
  )

  it.scopedLive("Given a pool with idle connections, When its scope closes, Then the server sees them all closed", () =>
    Effect.gen(function* () {
      const server = yield* serve({ onRequest: (request, response) => answer(request, response, 1) })
      const scope = yield* Scope.make()
      const rpc = yield* Scope.extend(pool(server.url), scope)
      yield* Effect.all(
        Array.from({ length: 8 }, () => rpc.getSlot()),
        { concurrency: "unbounded" }
      )
      assert.isAbove(server.sockets.size, 0)

      yield* Scope.close(scope, Exit.void)

      yield* until(() => server.sockets.size === 0)
      assert.strictEqual((yield* Effect.flip(rpc.getSlot())).reason, "PoolClosed")
    })
  )

  // Alone, because it measures the heap of the process.
  describe.sequential("a heap", () => {
    it.scopedLive("Given connections that the server closed, When many were opened, Then none stays in memory", () =>
      Effect.gen(function* () {
        const server = yield* serve({
          onRequest: (request, response) => answer(request, response.setHeader("connection", "close"), 1)
        })
        const rpc = yield* pool(server.url)
        const calls = (count: number) => Effect.repeatN(rpc.getSlot(), count)
        yield* calls(50)
        const before = held()
        yield* calls(400)
        yield* until(() => server.sockets.size === 0)
        assert.isBelow(held() - before, 2 * 1024 * 1024)
      })
    )
  })

  it.scopedLive("Given a process that called and subscribed, When the scope closes, Then it ends by itself", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        onRequest: (request, response) => answer(request, response, 41),
        onSocket: (socket) =>
          socket.on("message", (data) => {
            const { id } = JSON.parse(String(data)) as { readonly id: number }
            socket.send(`{"jsonrpc":"2.0","id":${id},"result":1}`)
            socket.send('{"jsonrpc":"2.0","method":"rootNotification","params":{"subscription":1,"result":1}}')
          })
      })
      const script = `
        import * as Effect from "effect/Effect"
        import * as Redacted from "effect/Redacted"
        import * as Stream from "effect/Stream"
        import * as RpcPoolUndici from "./layers/RpcPoolUndici.js"
        const url = Redacted.make("${server.url}"), wsUrl = Redacted.make("${server.wsUrl}")
        const main = Effect.gen(function* () {
          const rpc = yield* RpcPoolUndici.make({ url, wsUrl })
          const slot = yield* rpc.getSlot()
          yield* Stream.runDrain(Stream.take(rpc.rootSubscribe, 1))
          console.log(String(slot + 1n))
        })
        Effect.runPromise(Effect.scoped(main))`
      const [code, output] = yield* Effect.async<readonly [number | null, string]>((resume) => {
        const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script])
        let output = ""
        child.stdout.on("data", (chunk) => (output += String(chunk)))
        child.stderr.on("data", (chunk) => (output += String(chunk)))
        child.on("close", (code) => resume(Effect.succeed([code, output])))
        return Effect.sync(() => child.kill())
      }).pipe(Effect.timeout("20 seconds"))

      assert.deepStrictEqual([code, output.trim()], [0, "42"])
    })
  )
})
