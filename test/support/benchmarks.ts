/** Made-up reports of benchmarks. */
import type { Report } from "../../src/observe/BenchmarkReport.js"
import * as ExponentialHistogram from "../../src/observe/ExponentialHistogram.js"
import * as Statistics from "../../src/observe/Statistics.js"

/** A report of cases with these times. A name that ends in "again" is the control. */
export const reportOf = (seed: number, mode: Report["mode"], names: Readonly<Record<string, number>>): Report => {
  const random = Statistics.seeded(seed)
  const cases = Object.entries(names).map(([name, time]) => {
    const rounds = Array.from({ length: 61 }, () => 80 * time * (0.95 + 0.1 * random()) * (random() < 0.05 ? 1.8 : 1))
    const histogram = ExponentialHistogram.make()
    for (let index = 0; index < 2000; index++)
      ExponentialHistogram.record(histogram, 80 * time * (0.8 + 0.4 * random() + (random() < 0.03 ? random() : 0)))
    return {
      name: name.replace(/ again$/, ""),
      isControl: name.endsWith(" again"),
      operations: 10_000,
      rounds: [rounds],
      figures: mode === "cpu" ? [] : [{ name: "requests", value: time, unit: "a message" }],
      ...(mode === "cpu" ? {} : { latencies: { seconds: 1, ...ExponentialHistogram.toOtlp(histogram) } }),
      ...(name === "npm SDK" ? { note: "it cannot register agents" } : {})
    }
  })
  return {
    version: 1,
    name: mode === "cpu" ? "build and sign" : "message_send",
    mode,
    base: "ours",
    at: 1_795_000_000_000,
    of: "333bd75",
    machine: { cpu: "A processor", cores: 2, runtime: "Node 20.20.2", load: 0.4 },
    threshold: 0.02,
    cases
  }
}

/** Cases as `bench -- sdks` has them. */
export const sdks = {
  ours: 1,
  "ours again": 1,
  "ours, batched": 0.2,
  Rust: 0.65,
  Kit: 11,
  "web3.js v1": 18,
  "npm SDK": 33
}
