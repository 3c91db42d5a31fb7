import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { inspect } from "node:util"
import { gzipSync } from "node:zlib"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as PayloadStoreHttp from "../../layers/PayloadStoreHttp.js"
import * as PayloadStoreUndici from "../../layers/PayloadStoreUndici.js"
import { PayloadStore } from "../../services/PayloadStore.js"
import * as RetryPolicy from "../../services/RetryPolicy.js"
import * as Hash from "../../src/solana/Hash.js"
import { served, TOKEN } from "../support/payloadServers.js"
import { recorder } from "../support/spans.js"

const hello = new TextEncoder().encode("hello")
const HASH = Hash.sha256(hello)
const KEY = Encoding.encodeHex(HASH)

/** A server that answers as it is told. */
const lying = (answer: (request: IncomingMessage, response: ServerResponse, nth: number) => void) =>
  Effect.gen(function* () {
    let count = 0
    const server = createServer((request, response) => answer(request, response, ++count))
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, count: () => count }
  })

/** Writes the bytes again and again until the client leaves. */
const repeat = (response: ServerResponse, bytes: Uint8Array, millis: number) => {
  const timer = setInterval(() => response.write(bytes), millis)
  response.on("close", () => clearInterval(timer))
}

const encoded = (bytes: Uint8Array) =>
  lying((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(bytes)))

const fetching = (options: PayloadStoreHttp.Options | PayloadStoreHttp.ServersOptions) =>
  PayloadStoreHttp.make(options).pipe(Effect.provide(FetchHttpClient.layer))

const failing = (times: number) => (_: IncomingMessage, response: ServerResponse, nth: number) =>
  nth <= times ? response.writeHead(503, { "retry-after": "1" }).end() : response.end("hello")

const at = (url: string) => ({ url, token: TOKEN })

const env = (entries: ReadonlyArray<readonly [string, string]>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(entries)))

const over = (client: Layer.Layer<HttpClient.HttpClient>) => (options: PayloadStoreHttp.Options) =>
  Effect.flatMap(Layer.build(client), (context) => Effect.provide(PayloadStoreHttp.make(options), context))

const stores = {
  "PayloadStoreHttp over fetch": over(FetchHttpClient.layer),
  "PayloadStoreHttp over undici": over(NodeHttpClient.layerUndici),
  "PayloadStoreHttp over node:http": over(NodeHttpClient.layer),
  PayloadStoreUndici: PayloadStoreUndici.make
}

describe.each(Object.entries(stores))("%s", (_, make) => {
  const store = (url: string, options: Partial<PayloadStoreHttp.Options> = {}) =>
    Effect.orDie(make({ url, token: TOKEN, retries: 0, maxBytes: 100_000, ...options }))

  it.scopedLive("Given a server, when a payload is put and read, then it comes back and asks for no encoding", () =>
    Effect.gen(function* () {
      const { url } = yield* served()
      const payloads = yield* store(`${url}/`)
      const hash = yield* payloads.put([hello.subarray(0, 2), hello.subarray(2)])
      expect(yield* payloads.get(hash)).toEqual(hello)
    })
  )

  const bodies: ReadonlyArray<
    readonly [what: string, reason: string, answer: (request: IncomingMessage, response: ServerResponse) => void]
  > = [
    ["another body", "HashMismatch", (_, response) => response.end("hellO")],
    ["no body", "HashMismatch", (_, response) => response.end()],
    ["an endless body", "TooLarge", (_, response) => repeat(response, Buffer.alloc(65_536), 1)],
    [
      "a body that is said to be huge",
      "TooLarge",
      (_, response) => void response.writeHead(200, { "content-length": "99999999999" }).write(Buffer.alloc(200_000))
    ],
    [
      "a body that ends early",
      "Unavailable",
      (_, response) => {
        response.writeHead(200, { "content-length": "5" }).write("hel")
        setTimeout(() => response.destroy(), 20)
      }
    ],
    ["a body that stops", "Unavailable", (_, response) => void response.write("hel")],
    ["a body that trickles", "Unavailable", (_, response) => repeat(response, Buffer.from("h"), 50)],
    ["nothing", "Unavailable", () => undefined],
    ["a closed connection", "Unavailable", (request) => request.destroy()],
    [
      "a redirect",
      "Refused",
      (request, response) => {
        const isTarget = request.url === "/private"
        if (isTarget) response.end("hello")
        else response.writeHead(302, { location: "/private" }).end()
      }
    ],
    [
      "a redirect to a private address",
      "Refused",
      (_, response) => void response.writeHead(307, { location: "http://169.254.169.254/latest/meta-data" }).end()
    ],
    ["a partial body", "Refused", (_, response) => response.writeHead(206).end("hello")],
    ["404", "NotFound", (_, response) => response.writeHead(404).end()],
    ["401", "Refused", (_, response) => response.writeHead(401).end(`bad token ${TOKEN}\u001b[2J`)],
    ["507", "Full", (_, response) => response.writeHead(507).end()],
    ["500 with an endless text", "Unavailable", (_, response) => void response.writeHead(500).write("x".repeat(1e6))]
  ]

  it.scopedLive.each(bodies)(
    "Given %s, when a payload is read, then it is %s and no secret is shown",
    ([, reason, answer]) =>
      Effect.gen(function* () {
        const { url } = yield* lying(answer)
        const payloads = yield* store(url, { timeout: reason === "Unavailable" ? 500 : "20 seconds" })
        const error = yield* Effect.flip(payloads.get(HASH))
        expect(error).toMatchObject({ _tag: "PayloadStoreError", reason, hash: KEY })
        const shown = [
          Cause.pretty(Cause.fail(error), { renderErrorCause: true }),
          inspect(error),
          JSON.stringify(error)
        ].join()
        expect(shown).not.toContain(TOKEN)
        expect(shown).not.toContain("/v1/payloads")
        expect(shown).not.toContain("\u001b[2J")
      })
  )

  it.scopedLive(
    "Given a body in gzip, when it is read, then it is the payload or an error, and a bomb is TooLarge",
    () =>
      Effect.gen(function* () {
        const payloads = yield* Effect.flatMap(encoded(hello), ({ url }) => store(url))
        const read = yield* Effect.either(payloads.get(HASH))
        if (read._tag === "Right") expect(read.right).toEqual(hello)
        else expect(read.left.reason).toBe("HashMismatch")
        const bomb = yield* Effect.flatMap(encoded(new Uint8Array(50_000_000)), ({ url }) => store(url))
        expect(["TooLarge", "HashMismatch"]).toContain((yield* Effect.flip(bomb.get(HASH))).reason)
      })
  )

  it.scopedLive("Given no practical limit, when a body is said to be longer than any array, then it is an error", () =>
    Effect.gen(function* () {
      const { url } = yield* lying((_, response) =>
        response.writeHead(200, { "content-length": String(2 ** 32 - 1) }).end("hello")
      )
      const payloads = yield* store(url, { maxBytes: 2 ** 32 - 1, timeout: 500 })
      expect(yield* Effect.flip(payloads.get(HASH))).toMatchObject({ reason: "Unavailable" })
    })
  )

  it.scopedLive("Given 300 calls at once, when they are made, then the server sees at most 64 connections", () =>
    Effect.gen(function* () {
      let open = 0
      let most = 0
      const { count, url } = yield* lying((request, response) => {
        most = Math.max(most, ++open)
        request.resume().on("end", () => {
          setTimeout(() => {
            open--
            response.end()
          }, 5)
        })
      })
      const payloads = yield* store(url)
      yield* Effect.forEach(Array.from({ length: 300 }), (_, nth) => payloads.put(new Uint8Array([nth, nth >> 8])), {
        concurrency: "unbounded"
      })
      expect(count()).toBe(300)
      expect(most).toBeLessThanOrEqual(64)
    })
  )

  it.scopedLive("Given refusals, when a payload is put, then each is typed", () =>
    Effect.gen(function* () {
      const cases = [
        [400, "Refused"],
        [401, "Refused"],
        [404, "Refused"],
        [301, "Refused"],
        [413, "TooLarge"],
        [429, "Unavailable"],
        [503, "Unavailable"],
        [507, "Full"]
      ] as const
      for (const [status, reason] of cases) {
        const { url } = yield* lying((request, response) =>
          request.resume().on("end", () => response.writeHead(status).end())
        )
        const error = yield* Effect.flip(Effect.flatMap(store(url), (payloads) => payloads.put(hello)))
        expect([status, error.reason]).toEqual([status, reason])
      }
    })
  )
})

describe("PayloadStoreHttp", () => {
  it.scopedLive(
    "Given a refusal that repeats the token anywhere, when it is reported, then no part of it is shown",
    () =>
      Effect.gen(function* () {
        const before = [10, 280, 290, 400, 410, 420, 2000]
        const repeating = yield* lying((request, response, nth) =>
          request.resume().on("end", () => {
            response.writeHead(400).end(`${"-".repeat(before[nth - 1] ?? 0)} ${TOKEN} ${"-".repeat(900)}`)
          })
        )
        const store = yield* fetching({ ...at(repeating.url), retries: 0 })
        for (const _ of before) {
          const { message } = yield* Effect.flip(store.put(hello))
          expect(message).toContain("HTTP 400: ---")
          expect(message).not.toContain(TOKEN.slice(0, 4))
        }
      })
  )

  it.scopedLive("Given a server that fails twice, when it is read, then it is asked again until it answers", () =>
    Effect.gen(function* () {
      const { count, url } = yield* lying(failing(2))
      expect(yield* Effect.flatMap(fetching({ url }), (store) => store.get(HASH))).toEqual(hello)
      expect(count()).toBe(3)
    })
  )

  it.scopedLive("Given RetryPolicy.never, when it fails, then it is not asked again", () =>
    Effect.gen(function* () {
      const { count, url } = yield* lying(failing(2))
      const store = yield* fetching({ url })
      expect(yield* Effect.flip(RetryPolicy.never(store.get(HASH)))).toMatchObject({ reason: "Unavailable" })
      expect(count()).toBe(1)
    })
  )

  it.scoped(
    "Given a server that is down, when its retries are used up, then the call fails and none is left behind",
    () =>
      Effect.gen(function* () {
        const store = yield* fetching({ url: "http://127.0.0.1:1", retries: 2 })
        const fiber = yield* Effect.fork(Effect.flip(store.get(HASH)))
        while (fiber.unsafePoll() === null) {
          yield* TestClock.adjust("5 seconds")
          yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
        }
        expect(yield* Fiber.join(fiber)).toMatchObject({
          reason: "Unavailable",
          isRetryable: true,
          host: "127.0.0.1:1"
        })
      })
  )

  it.scopedLive(
    "Given three servers of which one is down and one lies, when two copies are put, then they are read",
    () =>
      Effect.gen(function* () {
        const good = yield* served()
        const other = yield* served()
        const liar = yield* lying((request, response) => request.resume().on("end", () => response.end("lies")))
        const writer = yield* fetching({ servers: [at("http://127.0.0.1:1"), at(good.url), at(other.url)], retries: 0 })
        const hash = yield* writer.put(hello)
        for (const { url } of [good, other]) {
          const reader = yield* fetching({ servers: [at(liar.url), at("http://127.0.0.1:1"), at(url)], retries: 0 })
          expect(yield* reader.get(hash)).toEqual(hello)
        }
        const short = yield* fetching({ servers: [at("http://127.0.0.1:1"), at(good.url)], retries: 0 })
        expect(yield* Effect.flip(short.put(hello))).toMatchObject({ reason: "Unavailable" })
        const absent = Hash.sha256(new Uint8Array(1))
        // Nobody can say that nothing is there while one does not answer.
        expect(yield* Effect.flip(short.get(absent))).toMatchObject({ reason: "Unavailable" })
        const both = yield* fetching({ servers: [at(good.url), at(other.url)], retries: 0 })
        expect(yield* Effect.flip(both.get(absent))).toMatchObject({ reason: "NotFound" })
      })
  )

  it.scopedLive("Given a server that restarts before one that lies, when a payload is read, then it is read", () =>
    Effect.gen(function* () {
      const restarting = yield* lying(failing(1))
      const liar = yield* lying((_, response) => response.end("lies"))
      const store = yield* fetching({ servers: [at(restarting.url), at(liar.url)], retries: 1 })
      expect(yield* store.get(HASH)).toEqual(hello)
    })
  )

  it.scopedLive(
    "Given a silent server before two others, when payloads are put and read, then it delays only one",
    () =>
      Effect.gen(function* () {
        const others = [yield* served(), yield* served()]
        const silent = yield* lying(() => undefined)
        const store = yield* fetching({
          servers: [silent, ...others].map(({ url }) => at(url)),
          timeout: 3000,
          retries: 0
        })
        for (let nth = 0; nth < 5; nth++) yield* store.get(yield* store.put(new Uint8Array([nth])))
        expect(silent.count()).toBe(1)
      })
  )

  it.scopedLive("Given a silent server, when more calls than its connections are made, then all fail together", () =>
    Effect.gen(function* () {
      const silent = yield* lying(() => undefined)
      const store = yield* fetching({ url: silent.url, concurrency: 2, timeout: 300, retries: 0 })
      const results = yield* Effect.all(
        Array.from({ length: 20 }, () => Effect.flip(store.get(HASH))),
        { concurrency: "unbounded" }
      )
      expect(new Set(results.map(({ reason }) => reason))).toEqual(new Set(["Unavailable"]))
      expect(silent.count()).toBe(2)
    })
  )

  it.scopedLive("Given a payload above the limit, when it is put, then nothing is sent", () =>
    Effect.gen(function* () {
      const { count, url } = yield* lying((_, response) => response.end())
      const store = yield* fetching({ url, maxBytes: 4 })
      expect(yield* Effect.flip(store.put(hello))).toMatchObject({ reason: "TooLarge", size: 5 })
      expect(count()).toBe(0)
    })
  )

  it.scopedLive("Given a tracer, when payloads come and go, then spans name the hash and no token, path or byte", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { url } = yield* served()
      yield* Effect.gen(function* () {
        const store = yield* fetching({ url, token: TOKEN })
        yield* Effect.flatMap(store.put(hello), store.get)
      }).pipe(Effect.provide(layer))
      const shown = JSON.stringify(spans.map(({ attributes, name }) => [name, ...attributes]))
      expect(spans.map(({ name }) => name)).toEqual(["PayloadStore.put", "PayloadStore.get"])
      expect(shown).toContain(KEY)
      for (const secret of [TOKEN, "/v1/", "hello"]) expect(shown).not.toContain(secret)
    })
  )

  it.effect("Given bad options, when it is made, then each is named and no secret is shown", () =>
    Effect.gen(function* () {
      const cases = [
        ["url", { url: "ftp://SECRET" }],
        ["url", { url: "http://user:SECRET@a" }],
        ["token", { url: "http://a", token: "SECRET and more" }],
        ["token", { url: "http://a", token: "" }],
        ["maxBytes", { url: "http://a", maxBytes: 0 }],
        ["timeout", { url: "http://a", timeout: 0 }],
        ["retries", { url: "http://a", retries: -1 }],
        ["servers", { servers: [] }],
        ["servers[1].url", { servers: [{ url: "http://a" }, { url: "SECRET" }] }],
        ["copies", { servers: [{ url: "http://a" }], copies: 2 }],
        ["copies", { servers: [{ url: "http://a" }], copies: 0 }]
      ] as const
      for (const [field, options] of cases) {
        const error = yield* Effect.flip(fetching(options))
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
        expect(String(error)).not.toContain("SECRET")
      }
    })
  )

  it.effect("Given settings, when read, then URLs and token are taken, and errors show neither", () =>
    Effect.gen(function* () {
      expect(yield* PayloadStoreHttp.config.pipe(env([]))).toEqual(Option.none())
      const found = yield* PayloadStoreHttp.config.pipe(
        env([
          ["POD_PAYLOAD_URL", "http://a, https://b/x"],
          ["POD_PAYLOAD_TOKEN", TOKEN]
        ])
      )
      expect(Option.getOrThrow(found).servers).toHaveLength(2)
      expect(inspect(found, { depth: 9 })).not.toContain(TOKEN)
      for (const [name, value] of [
        ["POD_PAYLOAD_URL", "ftp://SECRET"],
        ["POD_PAYLOAD_TOKEN", "SECRET SECRET"]
      ] as const) {
        const error = yield* PayloadStoreHttp.config.pipe(env([[name, value]]), Effect.flip)
        expect(String(error)).toContain(name)
        expect(String(error)).not.toContain("SECRET")
      }
      const missing = yield* Effect.flip(Layer.build(PayloadStoreHttp.layerConfig)).pipe(env([]), Effect.scoped)
      expect(String(missing)).toContain("POD_PAYLOAD_URL")
    })
  )

  it.scopedLive("Given the layer of the settings, when a payload is put, then it is read", () =>
    Effect.gen(function* () {
      const { url } = yield* served()
      yield* Effect.gen(function* () {
        const store = yield* PayloadStore
        expect(yield* Effect.flatMap(store.put(hello), store.get)).toEqual(hello)
      }).pipe(
        Effect.provide(PayloadStoreHttp.layerConfig),
        env([
          ["POD_PAYLOAD_URL", url],
          ["POD_PAYLOAD_TOKEN", TOKEN]
        ])
      )
    })
  )
})
