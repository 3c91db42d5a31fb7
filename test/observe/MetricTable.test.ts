import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { root } from "../../scripts/publicModules.js"
import * as Metrics from "../../services/Metrics.js"
import * as MetricTable from "../../src/observe/MetricTable.js"

const sources = ["src", "services", "layers"].flatMap((layer) =>
  readdirSync(path.join(root, layer), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.posix.join(layer, file))
)

const metrics: ReadonlyArray<
  Metric.Metric.Counter<number> | Metric.Metric.Gauge<number> | Metric.Metric.Histogram<number>
> = [
  Metrics.rpcCallDuration,
  Metrics.rpcCalls,
  Metrics.rpcRetries,
  Metrics.rpcConnections,
  Metrics.subscriptionsActive,
  Metrics.socketMessagesIgnored,
  Metrics.accountsRefused,
  Metrics.transactions,
  Metrics.rebroadcasts,
  Metrics.confirmationDuration,
  Metrics.messagesSent,
  Metrics.blockhashCacheHits,
  Metrics.blockhashCacheMisses,
  Metrics.cacheReads,
  Metrics.cacheFenced,
  Metrics.cacheRowsDamaged,
  Metrics.cacheErrors
]

describe("MetricTable", () => {
  it("Given the sources, When one makes a metric of Effect, Then it does so from a row of the table", () => {
    const makes = /\bMetric(?:Key)?\.(?:counter|gauge|histogram|summary|frequency|timer\w*)\b/
    const makers = sources.filter((file) => makes.test(readFileSync(path.join(root, file), "utf8")))
    expect(makers).toEqual(["services/internal/metricOf.ts"])
    for (const file of sources) {
      const text = readFileSync(path.join(root, file), "utf8")
      for (const [, argument] of text.matchAll(/\bMetricOf\.(?:counter|gauge|histogram)\(\s*([\w.]+)/g)) {
        const [, row = ""] = /^MetricTable\.(\w+)$/.exec(argument ?? "") ?? []
        expect(MetricTable.rows, `${file}: ${argument}`).toContain(Reflect.get(MetricTable, row))
      }
    }
  })

  it("Given the rows, When they are read, Then names and units are legal and all have a meaning", () => {
    expect(new Set(MetricTable.rows.map(({ name }) => name)).size).toBe(MetricTable.rows.length)
    for (const { boundaries, kind, labels, meaning, name, unit } of MetricTable.rows) {
      expect(name).toMatch(/^(pod_[a-z0-9_]+|[a-z0-9]+(\.[a-z0-9]+)+)$/)
      expect(unit).toMatch(/^(s|By|1|\{[a-z]+\})$/)
      expect(Object.keys(labels).length).toBeLessThanOrEqual(2)
      expect(meaning).not.toBe("")
      expect((boundaries?.length ?? 0) > 0, name).toBe(kind === "histogram")
    }
  })

  it("Given the constants, When they are registered, Then each is in the table and has its row's unit", () => {
    for (const metric of metrics) metric.register()
    const ours = Metric.unsafeSnapshot().filter(({ metricKey }) => /^(pod_|rpc\.)/.test(metricKey.name))
    expect(ours.length).toBeGreaterThanOrEqual(metrics.length)
    for (const { metricKey } of ours) {
      const row = MetricTable.rows.find(({ name }) => name === metricKey.name)
      const unit = metricKey.tags.find(({ key }) => key === "unit")?.value
      expect({ unit, meaning: Option.getOrNull(metricKey.description) }, metricKey.name).toEqual({
        unit: row?.unit,
        meaning: row?.meaning
      })
    }
  })
})
