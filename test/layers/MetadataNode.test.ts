import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as MetadataNode from "../../layers/MetadataNode.js"
import * as Cache from "../../services/Cache.js"
import * as Metadata from "../../services/Metadata.js"
import { MetadataError } from "../../services/Metadata.js"
import * as RpcPool from "../../services/RpcPool.js"

const DOCUMENT = { name: "Seven", description: "Trades.", capabilities: ["TRADING"], other: { deep: [1] } }

const SECRET = "k3y-of-the-server"

interface Site {
  readonly port: number
  /** Paths that were asked for. */
  readonly asked: ReadonlyArray<string>
  /** Replies whose connection has ended early. */
  readonly aborted: () => number
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const json =
  (value: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "application/json", ...headers })
    response.end(Buffer.isBuffer(value) ? value : JSON.stringify(value))
  }

const redirect =
  (to: string, status = 302): Answer =>
  (_, response) => {
    response.writeHead(status, { location: to })
    response.end("moved")
  }

/** Writes again whenever the last part has left, without an end. */
const endless: Answer = (_, response) => {
  response.writeHead(200, { "content-type": "application/json" })
  const part = Buffer.alloc(16 * 1024, " ")
  const write = () => {
    while (!response.destroyed && response.write(part)) continue
  }
  response.on("drain", write)
  write()
}

/** A server on loopback until the scope closes. */
const serve = (answers: Readonly<Record<string, Answer>>) =>
  Effect.acquireRelease(
    Effect.async<Site & { readonly close: () => void }>((resume) => {
      const asked: Array<string> = []
      let aborted = 0
      const server = createServer((request, response) => {
        const path = (request.url ?? "").split("?")[0] ?? ""
        asked.push(path)
        response.on("close", () => {
          if (!response.writableFinished) aborted++
        })
        const answer = answers[path]
        if (answer !== undefined) return answer(request, response)
        response.writeHead(404)
        response.end()
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ port, asked, aborted: () => aborted, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const LOOPBACK = { allowHttp: true, allowLoopback: true, timeout: "60 seconds" } as const

const reading = <A, E>(
  effect: Effect.Effect<A, E, Metadata.Metadata>,
  options: MetadataNode.Options = {}
): Effect.Effect<A, E> => Effect.provide(effect, Layer.orDie(MetadataNode.layer({ ...LOOPBACK, ...options })))

const get = (source: Metadata.Source) => Effect.flatMap(Metadata.Metadata, ({ get }) => get(source))

const failureOf = (source: Metadata.Source, options?: MetadataNode.Options) =>
  Effect.flip(reading(get(source), options))

const at = ({ port }: Site, path: string): string => `http://127.0.0.1:${port}${path}`

describe("Metadata on Node", () => {
  it.scopedLive("Given an agent's document, When it is read, Then its known fields come, and the document whole", () =>
    Effect.gen(function* () {
      const site = yield* serve({ "/a.json": json(DOCUMENT) })
      const source = { metadataUri: at(site, "/a.json") }
      const both = Effect.flatMap(Metadata.Metadata, ({ document, get }) => Effect.all([get(source), document(source)]))
      const [found, whole] = yield* reading(both)
      assert.deepStrictEqual(found, { name: "Seven", description: "Trades.", capabilities: ["TRADING"] })
      assert.deepStrictEqual(whole, DOCUMENT)
    })
  )

  it.scopedLive("Given a document that moved, When it is read, Then at most three redirects are followed", () =>
    Effect.gen(function* () {
      const site = yield* serve({
        "/1": redirect("/2", 301),
        "/2": redirect("../3", 307),
        "/3": redirect("//127.0.0.1:0/", 308),
        "/4": redirect("/5"),
        "/5": redirect("/6"),
        "/6": redirect("/7"),
        "/7": redirect("/a.json"),
        "/none": (_, response) => response.writeHead(302).end(),
        "/a.json": json(DOCUMENT)
      })
      assert.strictEqual((yield* reading(get(at(site, "/5")))).name, "Seven")
      assert.strictEqual((yield* failureOf(at(site, "/4"))).reason, "Redirect")
      assert.strictEqual((yield* failureOf(at(site, "/none"))).reason, "Redirect")
      assert.strictEqual((yield* failureOf(at(site, "/7"), { maxRedirects: 0 })).reason, "Redirect")
      assert.strictEqual((yield* failureOf(at(site, "/1"))).reason, "Unavailable")
    })
  )

  it.effect(
    "Given URIs that may not be fetched, When they are read, Then each is refused before anything connects",
    () =>
      Effect.gen(function* () {
        const refused: ReadonlyArray<readonly [uri: string, reason: MetadataError["reason"]]> = [
          ["file:///etc/passwd", "Uri"],
          ["ftp://example.com/a", "Uri"],
          ["javascript:alert(1)", "Uri"],
          ["data:application/json,{}", "Uri"],
          ["http://example.com/a.json", "Uri"],
          ["https://user:pass@example.com/", "Uri"],
          ["https://exämple.com/", "Uri"],
          ["https://１２７.0.0.1/", "Uri"],
          ["https://example.com/a b", "Uri"],
          ["https://example.com\u0000.evil/", "Uri"],
          ["agent.json", "Uri"],
          ["", "Uri"],
          [`https://example.com/${"a".repeat(3000)}`, "Uri"],
          ...[
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "0x7f.1",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "0177.1",
            "017700000001",
            "2130706433",
            "127.0.0.1.",
            "127.255.255.254",
            "0",
            "0.0.0.0",
            "0x0",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "10.0.0.1",
            "10.1",
            "172.16.0.1",
            "192.168.0.1",
            "192.168.257",
            "100.64.0.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:a9fe:a9fe]",
            "[ff02::1]",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "metadata.google.internal",
            "printer.local",
            "router"
          ].map((host) => [`https://${host}/latest/`, "Address"] as const)
        ]
        for (const [uri, reason] of refused) {
          const error = yield* Effect.flip(
            Effect.provide(
              get(uri),
              Layer.orDie(MetadataNode.layer({ resolve: () => Effect.die("nothing is looked up") }))
            )
          )
          assert.strictEqual(error.reason, reason, uri)
          assert.isFalse(error.isRetryable)
        }
      })
  )

  it.scopedLive("Given a redirect to a private address, When it is followed, Then nothing connects there", () =>
    Effect.gen(function* () {
      const site = yield* serve({
        "/cloud": redirect("http://169.254.169.254/latest/meta-data/"),
        "/mapped": redirect("http://[::ffff:10.0.0.1]/"),
        "/file": redirect("file:///etc/passwd"),
        "/user": redirect("http://a:b@127.0.0.1/"),
        "/name": redirect("http://inside.example/")
      })
      const options = { resolve: () => Effect.succeed(["10.0.0.1", "fd00::1", "no address"]) }
      const reasons = yield* Effect.forEach(["/cloud", "/mapped", "/file", "/user", "/name"], (path) =>
        Effect.map(failureOf(at(site, path), options), ({ reason }) => reason)
      )
      assert.deepStrictEqual(reasons, ["Address", "Address", "Uri", "Uri", "Address"])
    })
  )

  it.scopedLive(
    "Given a name that leads to an allowed address and then to a private one, Then it is looked up once for a connection",
    () =>
      Effect.gen(function* () {
        const site = yield* serve({ "/a.json": json(DOCUMENT, { connection: "close" }) })
        const answers = [["10.0.0.1", "127.0.0.1"], ["10.0.0.7"], ["fd00::1", "0.0.0.0"]]
        let asked = 0
        const resolve = (name: string) =>
          Effect.sync(() => {
            assert.strictEqual(name, "rebind.example")
            return answers[asked++] ?? []
          })
        const uri = `http://rebind.example:${site.port}/a.json`
        const [first, second, third] = yield* reading(Effect.all([1, 2, 3].map(() => Effect.either(get(uri)))), {
          resolve
        })
        assert.isTrue(first !== undefined && Either.isRight(first))
        for (const refused of [second, third]) {
          assert.isTrue(refused !== undefined && Either.isLeft(refused) && refused.left.reason === "Address")
        }
        assert.strictEqual(asked, 3)
        assert.deepStrictEqual(site.asked, ["/a.json"])
      })
  )

  it.scopedLive("Given a resolver that fails, Then the failure is typed and may be tried again", () =>
    Effect.gen(function* () {
      const failed = Effect.fail(Object.assign(new Error("SERVFAIL"), { code: "EAI_AGAIN" }))
      const error = yield* failureOf("http://lost.example/", { resolve: () => failed })
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, "EAI_AGAIN")
      assert.isTrue(error.isRetryable)
    })
  )

  it.scopedLive(
    "Given bodies that are too large, endless or compressed, Then each fails typed, and its connection ends",
    () =>
      Effect.gen(function* () {
        const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, " "))
        const site = yield* serve({
          "/stated": json(Buffer.alloc(70_000, " ")),
          "/endless": endless,
          "/bomb": json(bomb, { "content-encoding": "gzip" }),
          "/gzip": json(gzipSync(JSON.stringify(DOCUMENT)), { "content-encoding": "gzip" }),
          "/broken": json(Buffer.from("not gzip"), { "content-encoding": "gzip" })
        })
        assert.strictEqual((yield* failureOf(at(site, "/stated"))).reason, "TooLarge")
        assert.strictEqual((yield* failureOf(at(site, "/endless"))).reason, "TooLarge")
        assert.strictEqual((yield* failureOf(at(site, "/bomb"))).reason, "TooLarge")
        assert.include(["Json", "Unavailable"], (yield* failureOf(at(site, "/broken"))).reason)
        assert.strictEqual((yield* reading(get(at(site, "/gzip")))).name, "Seven")
        yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => site.aborted() >= 1 })
      })
  )

  it.scopedLive("Given documents of another kind, Then the failure says what is wrong and shows no value of them", () =>
    Effect.gen(function* () {
      const deep = "[".repeat(10_000) + "]".repeat(10_000)
      const site = yield* serve({
        "/html": (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
        "/text": json(Buffer.from("hello")),
        "/latin": json(Buffer.from([0x22, 0xff, 0x22])),
        "/deep": json(Buffer.from(deep)),
        "/list": json([1]),
        "/nameless": json({ description: SECRET }),
        "/typed": json({ name: "a", capabilities: [SECRET, 7] }),
        "/empty": json({ name: "" }),
        "/link": json({ name: "a", image: `javascript:${SECRET}` }),
        "/many": json({ name: "a", capabilities: Array.from({ length: 65 }, () => "c") }),
        "/500": (_, response) => response.writeHead(503).end(SECRET)
      })
      const errors = yield* Effect.forEach(
        [
          "/html",
          "/text",
          "/latin",
          "/deep",
          "/list",
          "/nameless",
          "/typed",
          "/empty",
          "/link",
          "/many",
          "/500",
          "/404"
        ],
        (path) => failureOf(at(site, path))
      )
      assert.deepStrictEqual(
        errors.map(({ reason }) => reason),
        [
          "ContentType",
          "Json",
          "Json",
          "Json",
          ...Array.from({ length: 6 }, () => "Schema" as const),
          "Status",
          "Status"
        ]
      )
      assert.deepStrictEqual(errors.map(({ isRetryable }) => isRetryable).filter(Boolean), [true])
      assert.notInclude(JSON.stringify(errors), SECRET)
      assert.include(errors[6]?.message, "capabilities.1")
    })
  )

  it.scopedLive("Given hostile texts, When they are read, Then they are cut and safe to show", () =>
    Effect.gen(function* () {
      const site = yield* serve({ "/a.json": json({ name: `\u001b[2Ja\u202e${"x".repeat(500)}` }) })
      const { name } = yield* reading(get(at(site, "/a.json")))
      assert.strictEqual(name.length, 100)
      assert.match(name, /^ax+…$/)
    })
  )

  it.scopedLive("Given a server that sends a byte at a time, Then the whole read ends after the timeout", () =>
    Effect.gen(function* () {
      const timers = new Set<NodeJS.Timeout>()
      yield* Effect.addFinalizer(() => Effect.sync(() => timers.forEach((timer) => clearInterval(timer))))
      const site = yield* serve({
        "/trickle": (_, response) => {
          response.writeHead(200, { "content-type": "application/json" })
          timers.add(setInterval(() => response.write(" "), 20))
        },
        "/silent": () => undefined
      })
      for (const path of ["/trickle", "/silent"]) {
        const error = yield* failureOf(at(site, path), { timeout: "300 millis" })
        assert.strictEqual(error.reason, "Timeout")
        assert.isTrue(error.isRetryable)
      }
      yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => site.aborted() === 2 })
    })
  )

  it.scopedLive(
    "Given a URI with a key, When its document is read, Then neither spans nor errors show path or key",
    () =>
      Effect.gen(function* () {
        const site = yield* serve({
          [`/${SECRET}/ok`]: json(DOCUMENT),
          [`/${SECRET}/moved`]: redirect(`/${SECRET}/lost`)
        })
        const spans: Array<Tracer.Span> = []
        const native = yield* Effect.tracer
        const tracer = Tracer.make({
          context: native.context.bind(native),
          span: (...args) => {
            const span = native.span(...args)
            spans.push(span)
            return span
          }
        })
        const results = yield* Effect.forEach(["ok", "moved", "text"], (path) =>
          Effect.either(get(at(site, `/${SECRET}/${path}?token=${SECRET}`)))
        ).pipe(reading, Effect.withTracer(tracer))
        const told = JSON.stringify([
          results.map(Either.getLeft),
          spans.map(({ attributes, name, status }) => [
            name,
            [...attributes],
            String(status._tag === "Ended" && status.exit)
          ])
        ])
        assert.isAbove(spans.length, 0)
        assert.include(told, "127.0.0.1")
        assert.notInclude(told, SECRET)
      })
  )

  it.scopedLive("Given a cache, When one URI is read again and by many, Then its server is asked once", () =>
    Effect.gen(function* () {
      const site = yield* serve({ "/a.json": json(DOCUMENT) })
      const cache = Cache.layerMemory().pipe(Layer.provide(RpcPool.layerTest({})))
      const names = yield* Effect.forEach(Array.from({ length: 20 }), () => get(at(site, "/a.json")), {
        concurrency: "unbounded"
      }).pipe(
        Effect.zipRight(get(at(site, "/a.json"))),
        Effect.zipLeft(Effect.all([1, 2, 3].map(() => Effect.flip(get(at(site, "/lost")))))),
        Effect.provide(Layer.orDie(Layer.provide(MetadataNode.layer(LOOPBACK), cache)))
      )
      assert.strictEqual(names.name, "Seven")
      assert.deepStrictEqual(site.asked, ["/a.json", "/lost"])
    })
  )

  it.scopedLive("Given a read that is interrupted, Then its connection ends", () =>
    Effect.gen(function* () {
      const site = yield* serve({ "/silent": () => undefined })
      const fiber = yield* Effect.fork(reading(get(at(site, "/silent"))))
      yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => site.asked.length === 1 })
      yield* Fiber.interrupt(fiber)
      yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => site.aborted() === 1 })
    })
  )

  it.effect("Given options out of range, Then each is refused by name", () =>
    Effect.gen(function* () {
      const refused: ReadonlyArray<readonly [field: string, options: MetadataNode.Options]> = [
        ["maxBytes", { maxBytes: 0 }],
        ["timeout", { timeout: Number.NaN }],
        ["maxRedirects", { maxRedirects: 21 }],
        ["ttl", { ttl: -1 }],
        ["negativeTtl", { negativeTtl: 0 }]
      ]
      for (const [field, options] of refused) {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(MetadataNode.layer(options))))
        assert.strictEqual(error.field, field)
      }
    })
  )

  it.effect("Given an error, When it crosses a boundary by its Schema, Then it stays what it is", () =>
    Effect.gen(function* () {
      const error = new MetadataError({
        reason: "Status",
        host: "example.com",
        detail: "it answers HTTP 503",
        status: 503
      })
      const codec = Schema.parseJson(MetadataError)
      const copy = yield* Effect.flatMap(Schema.encode(codec)(error), Schema.decode(codec))
      assert.isTrue(copy.isRetryable)
      assert.strictEqual(copy.message, error.message)
    })
  )

  it.effect("Given stubs, Then a test layer answers with them", () =>
    Effect.gen(function* () {
      const { name } = yield* get("https://example.com/a.json")
      assert.strictEqual(name, "Stub")
    }).pipe(Effect.provide(Metadata.layerTest({ get: () => Effect.succeed({ name: "Stub" }) })))
  )
})
