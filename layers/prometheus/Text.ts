/**
 * Writes Prometheus' text format, version 0.0.4.
 *
 * - Names and labels are made legal. Series that collide after this are left out, because Prometheus refuses a whole
 *   scrape with a duplicate.
 * - An exponential histogram becomes a histogram whose bounds are fixed powers of two, so that series of several
 *   processes can be summed.
 */
import type { ExponentialHistogram } from "../../src/observe/ExponentialHistogram.js"
import * as SafeText from "../../src/SafeText.js"
import type { Family, Histogram, Labels, Series } from "../internal/Series.js"

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

const MAX_NAME = 255
const MAX_VALUE = 1024

/**
 * Suffixes of names by unit, as Prometheus' conventions demand. Other units are in the name already, or count things.
 */
const SUFFIXES: ReadonlyMap<string, string> = new Map([
  ["s", "_seconds"],
  ["By", "_bytes"]
])

const legal = (text: string, illegal: RegExp): string => {
  const name = text.slice(0, MAX_NAME).replace(illegal, "_")
  return /^\d/.test(name) || name === "" ? `_${name}` : name
}

const nameOf = ({ name, unit }: Family): string => {
  const made = legal(name, /[^a-zA-Z0-9_:]/g)
  const suffix = SUFFIXES.get(unit) ?? ""
  return made.endsWith(suffix) || made.includes(`${suffix}_`) ? made : made + suffix
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

/** The value of a label. Line breaks are escaped; other control characters are removed. */
const labelValue = (text: string): string =>
  escaped(
    text
      .slice(0, MAX_VALUE)
      .split("\n")
      .map((line) => SafeText.make(line, MAX_VALUE))
      .join("\n")
  )

const labelled = (labels: Labels): string => {
  const pairs = new Map<string, string>()
  for (const [name, value] of Object.entries(labels)) {
    const made = legal(name, /[^a-zA-Z0-9_]/g)
    // Prometheus reserves names that begin with two underscores.
    pairs.set(made.replace(/^__+/, "_"), labelValue(value))
  }
  // In one order, so that equal labels are equal texts.
  const texts = Array.from(pairs, ([name, value]) => `${name}="${value}"`).toSorted()
  return texts.length === 0 ? "" : `{${texts.join(",")}}`
}

const numberOf = (value: number | bigint): string => {
  if (value === Infinity) return "+Inf"
  return value === -Infinity ? "-Inf" : String(value)
}

/** The exponents from -20 to 10: as powers of two in seconds, a microsecond to a quarter of an hour. */
const POWERS = Array.from({ length: 31 }, (_, nth) => nth - 20)

/** Bucket `i` holds the values in (2^(i / 2^scale), 2^((i + 1) / 2^scale)], so each power of two is a bound. */
const byPowers = ({ buckets, count, max, min, offset, scale, sum, zeros }: ExponentialHistogram): Histogram => {
  const perPower = 2 ** scale
  const upTo = POWERS.map((power) => {
    const end = Math.min(Math.max(Math.floor(power * perPower) - offset, 0), buckets.length)
    return buckets.subarray(0, end).reduce((total, one) => total + one, zeros)
  })
  const counts = [...upTo, count].map((total, nth, all) => total - (all[nth - 1] ?? 0))
  return { bounds: POWERS.map((power) => 2 ** power), counts, count, sum, min, max }
}

const histogramLines = (name: string, labels: Labels, { bounds, count, counts, sum }: Histogram): Array<string> => {
  const { le: _, ...rest } = labels
  let upTo = 0
  const buckets = [...bounds, Infinity].map((bound, nth) => {
    upTo += counts[nth] ?? 0
    return `${name}_bucket${labelled({ ...rest, le: numberOf(bound) })} ${bound === Infinity ? count : upTo}`
  })
  return [...buckets, `${name}_sum${labelled(rest)} ${numberOf(sum)}`, `${name}_count${labelled(rest)} ${count}`]
}

const linesOf = (name: string, { labels, value }: Series): Array<string> => {
  switch (value.kind) {
    case "counter":
    case "gauge":
      return [`${name}${labelled(labels)} ${numberOf(value.value)}`]
    case "histogram":
      return histogramLines(name, labels, value.value)
    case "exponential histogram":
      return histogramLines(name, labels, byPowers(value.value))
  }
}

const TYPES = {
  counter: "counter",
  gauge: "gauge",
  histogram: "histogram",
  "exponential histogram": "histogram"
} as const

/** The help text of a family: one line, in which only backslashes are escaped. */
const help = ({ meaning, name, unit }: Family): string =>
  `${SafeText.make(meaning === "" ? name : meaning, MAX_VALUE)}${unit === "" ? "" : `, in ${unit}`}`.replaceAll(
    "\\",
    "\\\\"
  )

/** The type of a family. A counter that may fall is a gauge in Prometheus. */
const typeOf = ({ kind, series }: Family): string =>
  series.some(({ value }) => value.kind === "counter" && !value.isMonotonic) ? "gauge" : TYPES[kind]

/** The names in the lines of a family. */
const namesOf = (name: string, { kind }: Family): ReadonlyArray<string> =>
  kind === "histogram" || kind === "exponential histogram"
    ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]
    : [name]

export const write = (families: ReadonlyArray<Family>): string => {
  const used = new Set<string>()
  const lines: Array<string> = []
  for (const family of families) {
    const name = nameOf(family)
    const names = namesOf(name, family)
    if (names.some((one) => used.has(one))) continue
    for (const one of names) used.add(one)
    lines.push(`# HELP ${name} ${help(family)}`, `# TYPE ${name} ${typeOf(family)}`)
    const written = new Set<string>()
    for (const series of family.series) {
      const own = linesOf(name, series)
      const [first = ""] = own
      const key = first.slice(0, first.lastIndexOf(" "))
      if (written.has(key)) continue
      written.add(key)
      for (const line of own) lines.push(line)
    }
  }
  return `${lines.join("\n")}\n`
}
