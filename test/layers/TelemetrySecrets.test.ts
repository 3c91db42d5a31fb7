import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as path from "node:path"
import { inspect, promisify } from "node:util"
import { gunzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { EmbeddedCluster } from "../../layers/EmbeddedCluster.js"
import * as FiberConsoleNode from "../../layers/FiberConsoleNode.js"
import * as ProfilerNode from "../../layers/ProfilerNode.js"
import * as PrometheusServer from "../../layers/PrometheusServer.js"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import { TestWallets } from "../../layers/TestWallets.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as FiberConsole from "../../services/FiberConsole.js"
import * as Metrics from "../../services/Metrics.js"
import * as Profiler from "../../services/Profiler.js"
import * as Chaos from "../chaos/Chaos.js"
import * as Faults from "../chaos/Faults.js"
import { bundled } from "../support/bundled.js"
import { receiver } from "../support/otlpReceiver.js"
import { formsOf, secretKey } from "../support/secretKeys.js"

const run = promisify(execFile)

const KEY = "S3CR3T-query-k3y"

/** A key with its seed, and texts, in every form. */
const formsOfAll = (keys: ReadonlyArray<Uint8Array>, texts: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...texts,
  ...[
    ...keys.flatMap((key) => [key, key.subarray(0, 32)]),
    ...texts.map((text) => new TextEncoder().encode(text))
  ].flatMap(formsOf)
]

const Said = Schema.parseJson(
  Schema.Struct({ secret: Schema.String, payloads: Schema.Array(Schema.String), scraped: Schema.String })
)

const MESSAGES = 24

/** Wallets whose secret keys the test knows. */
const known = () => {
  const keys: Array<Uint8Array> = []
  const layer = Layer.effect(
    TestWallets,
    Effect.map(EmbeddedCluster, (cluster) => {
      const fundedWith = (lamports: bigint) =>
        Effect.gen(function* () {
          const key = secretKey()
          keys.push(key)
          const wallet = yield* WalletNode.fromSecretKey(Redacted.make(Uint8Array.from(key)))
          yield* cluster.airdrop(wallet.address, lamports)
          return wallet
        }).pipe(Effect.orDie)
      return { funded: fundedWith(10_000_000_000n), fundedWith }
    })
  )
  return { keys, layer }
}

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(path.join(Os.tmpdir(), "pod-secrets-"))),
  (name) => Effect.sync(() => Fs.rmSync(name, { recursive: true }))
)

/** Every byte of the files, as Latin-1; what is compressed is unpacked. */
const contents = (directory: string): string =>
  Fs.readdirSync(directory)
    .map((name) => {
      const bytes = Fs.readFileSync(path.join(directory, name))
      return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1")
    })
    .join("\n")

/** Runs chaos with all that observes, and returns every text that this writes. */
const observed = (options: Chaos.Options, directory: string) =>
  Effect.gen(function* () {
    const profiler = yield* Profiler.Profiler
    const { dump } = yield* FiberConsole.FiberConsole
    const { report } = yield* Metrics.Metrics
    const dumps: Array<FiberConsole.Dump> = []
    const watching = Effect.forever(
      Effect.zipRight(
        Effect.sleep("300 millis"),
        Effect.map(dump({ places: 20 }), (all) => dumps.push(all))
      )
    )
    const [[outcome, cpu], heap] = yield* profiler.heapSampling(
      profiler.cpu(Effect.raceFirst(Chaos.run(options), watching)),
      { collected: true }
    )
    const fibers = dumps.map((all) => FiberConsole.render(all, 10_000)).join("\n")
    const metrics = yield* report("text")
    yield* ProfilerNode.write(directory, { title: "chaos", cpu, heap, fibers, metrics })
    const errors = outcome.sent.flatMap(({ told }) => (told._tag === "Failed" ? [told.error] : []))
    yield* Effect.forEach(errors, (error) => Effect.logError("A message failed", error), { discard: true })
    return {
      outcome,
      dumps,
      texts: [
        JSON.stringify(dumps),
        yield* report("json"),
        yield* report("markdown"),
        yield* PrometheusServer.text(),
        JSON.stringify(outcome.report),
        inspect(errors, { depth: 20, showHidden: true }),
        JSON.stringify(errors),
        ...errors.map((error) => Cause.pretty(Cause.fail(error), { renderErrorCause: true })),
        contents(directory)
      ]
    }
  })

describe("what is exported and written", { timeout: 300_000 }, () => {
  it.scopedLive(
    "Given the demo on a node with a key in its URL, When all is exported, Then no secret is in any byte",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const { stdout } = yield* Effect.promise(() =>
          run(process.execPath, [bundled("test/support/otlpDemoChild.ts"), collector.url, KEY], {
            maxBuffer: 64 * 1024 * 1024
          })
        )
        const said = Schema.decodeSync(Said)(stdout.trim().split("\n").at(-1) ?? "")
        const exported = collector.raw().toString("latin1") + said.scraped
        expect(collector.spans().length).toBeGreaterThan(100)
        expect(collector.logs()).not.toEqual([])
        expect(said.scraped).toContain("pod_messages_sent_total")

        const payloads = said.payloads.filter(({ length }) => length > 8)
        expect(payloads.length).toBeGreaterThan(3)
        const key = Uint8Array.from(Buffer.from(said.secret, "hex"))
        for (const form of [KEY, "api-key", ...formsOfAll([key], payloads)]) expect(exported).not.toContain(form)
      })
  )

  it.scopedLive(
    "Given a failing network with keys in its URLs, When all is exported, profiled and dumped, Then no secret is in any byte",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const directory = yield* folder
        const { keys, layer } = known()
        const options: Chaos.Options = {
          messages: MESSAGES,
          faults: { ...Faults.all, lies: 0 },
          seed: 7,
          endpoints: 3,
          follow: true,
          query: `/?api-key=${KEY}`,
          wallets: layer
        }
        const { dumps, outcome, texts } = yield* observed(options, directory).pipe(
          Effect.provide([
            TelemetryOtlp.layerFetch({ url: collector.url, protocol: "http/json", shutdownTimeout: "30 seconds" }),
            Metrics.layer(),
            FiberConsoleNode.layer,
            ProfilerNode.layer()
          ]),
          Effect.provide(Logger.remove(Logger.defaultLogger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
        // Given that each of them has something to tell
        expect(outcome.sent).toHaveLength(MESSAGES)
        expect(dumps.some(({ fibers }) => fibers.some(({ places }) => places.length > 0))).toBe(true)
        expect(collector.spans().map(({ name }) => name)).toContain("Transactions.confirm")
        expect(collector.metrics()).not.toEqual([])

        const written = [collector.raw().toString("latin1"), ...texts].join("\n")
        expect(written).toContain("127.0.0.1")
        for (const form of [
          KEY,
          "api-key",
          ...formsOfAll(
            keys,
            outcome.sent.map(({ text }) => text)
          )
        ]) {
          expect(written.includes(form), form).toBe(false)
        }
      })
  )
})
