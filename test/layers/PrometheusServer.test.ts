import { execFile, spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import * as http from "node:http"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Option from "effect/Option"
import * as PrometheusServer from "../../layers/PrometheusServer.js"
import * as PrometheusServerNode from "../../layers/PrometheusServerNode.js"
import * as Metrics from "../../services/Metrics.js"

/** A parser of the text format by its specification. It refuses what Prometheus refuses. */
interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/y
const unescape = (text: string): string => text.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one))

const parse = (text: string) => {
  expect(text.endsWith("\n")).toBe(true)
  const types = new Map<string, string>()
  const samples: Array<Sample> = []
  const seen = new Set<string>()
  for (const line of text.trimEnd().split("\n")) {
    const [, kind, named = "", rest = ""] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? []
    if (kind === "TYPE") {
      expect(types.has(named), line).toBe(false)
      expect(rest).toMatch(/^(counter|gauge|histogram)$/)
      types.set(named, rest)
    }
    if (kind !== undefined) continue
    const [, name = "", inner = "", value = ""] = LINE.exec(line) ?? []
    expect(name, line).not.toBe("")
    const labels: Record<string, string> = {}
    LABEL.lastIndex = 0
    while (LABEL.lastIndex < inner.length) {
      const [, label = "", escaped = ""] = LABEL.exec(inner) ?? []
      expect(label, line).not.toBe("")
      expect(Object.hasOwn(labels, label), line).toBe(false)
      labels[label] = unescape(escaped)
    }
    const key = JSON.stringify([name, Object.entries(labels).toSorted()])
    expect(seen.has(key), line).toBe(false)
    seen.add(key)
    samples.push({ name, labels, value: value === "+Inf" ? Infinity : Number(value) })
  }
  return { types, samples }
}

const fetched = (url: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    return { status: response.status, headers: response.headers, text: await response.text() }
  })

const ODD = 'quote " backslash \\ line\nend é'

describe("PrometheusServer", () => {
  it.scopedLive("Given metrics of every kind, When they are scraped, Then an independent parser reads them all", () =>
    Effect.gen(function* () {
      const name = "prometheus.test odd-name"
      yield* Metric.update(Metric.tagged(Metric.counter(name), "odd label", ODD), 3)
      yield* Metric.update(Metric.gauge("prometheus.test.gauge"), -1.5)
      yield* Metric.update(Metric.frequency("prometheus.test.words"), "word")
      const histogram = Metric.histogram("prometheus.test.seconds", MetricBoundaries.fromIterable([1, 2]))
      yield* Effect.forEach([0.5, 1.5, 9], (value) => Metric.update(histogram, value))
      const metrics = yield* Metrics.Metrics
      yield* Effect.forEach([1, 2, 3], () => Effect.sleep(2).pipe(metrics.track("Napping", { kind: "short" })))
      yield* metrics.increment("naps", 2n ** 60n)

      const { url } = yield* PrometheusServerNode.serve({ port: 0 })
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
      const { headers, status, text } = yield* fetched(url)
      expect(status).toBe(200)
      expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
      const { samples, types } = parse(text)
      const of = (wanted: string) => samples.filter((sample) => sample.name === wanted)
      expect(of("prometheus_test_odd_name")).toEqual([
        { name: "prometheus_test_odd_name", labels: { odd_label: ODD }, value: 3 }
      ])
      expect(of("prometheus_test_gauge")[0]?.value).toBe(-1.5)
      expect(of("prometheus_test_seconds_bucket").map(({ labels, value }) => [labels["le"], value])).toEqual([
        ["1", 1],
        ["2", 2],
        ["+Inf", 3]
      ])
      expect(of("prometheus_test_seconds_sum")[0]?.value).toBe(11)
      expect(types.get("pod_operation_duration_seconds")).toBe("histogram")
      const naps = of("pod_operation_duration_seconds_bucket").filter(({ labels }) => labels["operation"] === "Napping")
      expect(naps).toHaveLength(32)
      expect(naps.at(-1)?.value).toBe(3)
      expect(naps.map(({ value }) => value)).toEqual(naps.map(({ value }) => value).toSorted((a, b) => a - b))
      expect(naps.find(({ labels }) => Number(labels["le"]) === 2 ** -10)?.value).toBe(0)
      expect(of("naps")[0]?.value).toBe(2 ** 60)
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect(
    "Given equal labels in another order, and units of any text, When they are written, Then each name is legal",
    () =>
      Effect.gen(function* () {
        const counter = Metric.counter("prometheus.test.order", { incremental: true })
        yield* Metric.incrementBy(counter.pipe(Metric.tagged("first", "1"), Metric.tagged("second", "2")), 3)
        yield* Metric.incrementBy(counter.pipe(Metric.tagged("second", "2"), Metric.tagged("first", "1")), 4)
        const units = ["constructor", "__proto__", "toString"]
        yield* Effect.forEach(units, (unit) =>
          Metric.increment(Metric.tagged(Metric.counter(`prometheus.test.${unit}`), "unit", unit))
        )
        const { samples } = parse(yield* PrometheusServer.text())
        expect(samples.filter(({ name }) => name === "prometheus_test_order")).toEqual([
          { name: "prometheus_test_order", labels: { first: "1", second: "2" }, value: 3 }
        ])
        const names = new Set(samples.map(({ name }) => name))
        expect(units.filter((unit) => !names.has(`prometheus_test_${unit}`))).toEqual([])
        expect(samples.find(({ name }) => name === "pod_telemetry_series_left_out")?.value).toBeGreaterThanOrEqual(1)
      })
  )

  it.scopedLive("Given more series than maxSeries, When they are scraped, Then the rest is counted", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      yield* Effect.forEach(Array.from({ length: 50 }), (_, nth) => metrics.gauge("many", nth, { nth: String(nth) }))
      const { url } = yield* PrometheusServerNode.serve({ port: 0, maxSeries: 10 })
      const { samples } = parse((yield* fetched(url)).text)
      expect(samples).toHaveLength(11)
      expect(samples.find(({ name }) => name === "pod_telemetry_series_left_out")?.value).toBeGreaterThanOrEqual(40)
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.scopedLive("Given other paths and methods, When they are asked for, Then the answer is 404 or 405", () =>
    Effect.gen(function* () {
      const { port, url } = yield* PrometheusServerNode.serve({ port: 0 })
      expect((yield* fetched(`http://127.0.0.1:${port}/`)).status).toBe(404)
      expect((yield* fetched(`${url}/more`)).status).toBe(404)
      expect((yield* fetched(url, { method: "POST", body: "x" })).status).toBe(405)
      expect(yield* fetched(url, { method: "HEAD" })).toMatchObject({ status: 200, text: "" })
      expect((yield* fetched(`${url}?collect[]=x`)).status).toBe(200)
    })
  )

  it.scopedLive("Given a taken port or bad options, When it is served, Then the error says which", () =>
    Effect.gen(function* () {
      const { port } = yield* PrometheusServerNode.serve({ port: 0 })
      const taken = yield* Effect.either(PrometheusServerNode.serve({ port }))
      expect(Option.getOrThrow(Either.getLeft(taken))).toMatchObject({ reason: "PortTaken", isRetryable: true })
      for (const options of [{ port: -1 }, { maxSeries: 0 }, { path: "metrics" }]) {
        const invalid = yield* Effect.either(PrometheusServerNode.serve({ port: 0, ...options }))
        expect(Option.getOrThrow(Either.getLeft(invalid))).toMatchObject({ field: Object.keys(options)[0] })
      }
    })
  )

  it.scopedLive("Given a scraper that keeps its connection, When the scope closes, Then the server ends", () =>
    Effect.gen(function* () {
      const agent = new http.Agent({ keepAlive: true })
      yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { url } = yield* PrometheusServerNode.serve({ port: 0 })
          yield* Effect.async<void>((resume) => {
            http.get(url, { agent }, (response) => response.resume().on("end", () => resume(Effect.void)))
          })
        })
      )
    })
  )
})

const run = promisify(execFile)
const installed = async (name: string): Promise<boolean> =>
  run(name, ["--version"]).then(
    () => true,
    () => false
  )

const hasPrometheus = await installed("prometheus")
const hasPromtool = await installed("promtool")
if (!hasPrometheus) console.warn("Prometheus is not installed (apt-get install prometheus): its tests are skipped")

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

describe("a Prometheus of Debian", () => {
  it.scopedLive.skipIf(!hasPromtool)("Given the text, When promtool checks it, Then it accepts it", () =>
    Effect.gen(function* () {
      const { url } = yield* PrometheusServerNode.serve({ port: 0 })
      const { text } = yield* fetched(url)
      const code = yield* Effect.promise(
        () =>
          new Promise<number | null>((resolve) => {
            const child = spawn("promtool", ["check", "metrics"], { stdio: ["pipe", "ignore", "ignore"] })
            child.once("close", resolve)
            child.stdin.end(text)
          })
      )
      // 3 is advice on names.
      expect([0, 3]).toContain(code)
    })
  )

  it.scopedLive.skipIf(!hasPrometheus)(
    "Given the server, When Prometheus scrapes it, Then queries answer from it",
    () =>
      Effect.gen(function* () {
        const metrics = yield* Metrics.Metrics
        yield* Metric.set(Metric.gauge("scraped").pipe(Metric.tagged("odd", ODD)), 42)
        for (let nth = 0; nth < 200; nth++) yield* Effect.void.pipe(metrics.track("Scraping"))
        const { port } = yield* PrometheusServerNode.serve({ port: 0 })
        const folder = yield* Effect.acquireRelease(
          Effect.promise(() => mkdtemp(path.join(tmpdir(), "pod-prometheus-"))),
          (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
        )
        const config = path.join(folder, "prometheus.yml")
        yield* Effect.promise(() =>
          writeFile(
            config,
            `scrape_configs: [{ job_name: pod, scrape_interval: 1s, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }]\n`
          )
        )
        const own = yield* Effect.promise(freePort)
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn(
              "prometheus",
              [
                `--config.file=${config}`,
                `--storage.tsdb.path=${path.join(folder, "data")}`,
                `--web.listen-address=127.0.0.1:${own}`
              ],
              { stdio: "ignore" }
            )
          ),
          (child) =>
            Effect.async<void>((resume) => {
              child.once("close", () => resume(Effect.void))
              child.kill("SIGTERM")
            })
        )
        const query = (text: string) =>
          Effect.promise(
            async (): Promise<ReadonlyArray<{ metric: Record<string, string>; value: [number, string] }>> => {
              const response = await fetch(
                `http://127.0.0.1:${own}/api/v1/query?query=${encodeURIComponent(text)}`
              ).catch(() => undefined)
              const answer = response?.ok === true ? await response.json() : undefined
              return answer?.data?.result ?? []
            }
          )
        const found = yield* Effect.repeat(Effect.zipLeft(query("scraped"), Effect.sleep("250 millis")), {
          until: (result) => result.length > 0,
          times: 200
        })
        expect(found[0]?.metric["odd"]).toBe(ODD)
        expect(found[0]?.value[1]).toBe("42")
        const quantile = yield* query(
          'histogram_quantile(0.95, sum by (le) (pod_operation_duration_seconds_bucket{operation="Scraping"}))'
        )
        expect(Number(quantile[0]?.value[1])).toBeGreaterThan(0)
      }).pipe(Effect.provide(Metrics.layer()))
  )
})
