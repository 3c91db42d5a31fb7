/** The text of `docs/metrics.md`, from the table of metrics. `npm run exports` writes it. */
import { rows } from "../src/observe/MetricTable.js"
import type { Row } from "../src/observe/MetricTable.js"

const labelsOf = ({ labels }: Row): string =>
  Object.entries(labels)
    .map(([name, meaning]) => `\`${name}\`: ${meaning}`)
    .join("<br>")

const line = (row: Row): string =>
  `| \`${row.name}\` | ${row.kind} | \`${row.unit}\` | ${labelsOf(row)} | ${row.meaning} |`

const boundaries = ({ boundaries: bounds = [], name, unit }: Row): string =>
  `- \`${name}\`: ${bounds.join(", ")} (\`${unit}\`)`

export const metricsPage = (): string =>
  [
    "# Metrics",
    "",
    "<!-- Generated from src/observe/MetricTable.ts by `npm run exports`. -->",
    "",
    "## In Effect's registry",
    "",
    "Any exporter of Effect's metrics sends these. Each has a label `unit`, which Effect's OTLP exporter writes as the unit",
    "of the metric. Constants of `services/Metrics` read them in a program. The operations and the series left out are made by",
    "`TelemetryOtlp` and `PrometheusServer` themselves, from the service `Metrics`.",
    "",
    "| name | kind | unit | labels | meaning |",
    "|---|---|---|---|---|",
    ...rows.map(line),
    "",
    "Upper bounds of the histograms' buckets:",
    "",
    ...rows.filter(({ kind }) => kind === "histogram").map(boundaries),
    "",
    "## In the service `Metrics`",
    "",
    "Where `Metrics.layer()` is provided, the SDK's public operations are timed under the names of their spans",
    "(`Agent.register`, `Message.send`, `Channel.join`, …), and RPC calls under `rpc.` and their method (`rpc.getSlot`).",
    "Percentiles come from exponential histograms, within 0.55 %. `track`, `timer`, `increment` and `gauge` add an",
    "application's own. Without the service nothing is timed.",
    ""
  ].join("\n")
