/**
 * The pictures of a benchmark's page, as SVG without a script. Only numbers and names come from the report, so only
 * names are escaped.
 */
import * as Option from "effect/Option"
import * as Flamegraph from "../Flamegraph.js"
import * as Statistics from "../Statistics.js"
import * as Format from "./format.js"

export interface Violin {
  readonly name: string
  readonly colour: string
  readonly samples: ReadonlyArray<Statistics.Sample>
  /** Half of all samples lie between `low` and `high`. */
  readonly quartiles: readonly [low: number, median: number, high: number]
}

const WIDTH = 1100
const LABELS = 190

const at = (value: number): string => value.toFixed(1)

/** Round numbers within a range, for wide and for narrow ranges. */
const ticks = (low: number, high: number): ReadonlyArray<number> => {
  const from = Math.floor(Math.log10(low))
  const to = Math.ceil(Math.log10(high))
  const steps = high / low > 1000 ? [1] : [1, 2, 5]
  const found = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
    .flatMap((power) => steps.map((step) => step * power))
    .filter((tick) => tick >= low && tick <= high)
  return found.length >= 2 ? found : [low, Math.sqrt(low * high), high]
}

/** A label of an axis without trailing zeros. */
const plain = (label: string): string => label.replace(/\.0+(?=\D|$)/, "").replace(/(\.\d*[1-9])0+(?=\D|$)/, "$1")

const ratio = (value: number): string => `${Format.digits(value)} ×`

const grid = (
  x: (value: number) => number,
  marks: ReadonlyArray<number>,
  height: number,
  label: (value: number) => string
): string =>
  marks
    .map(
      (mark) =>
        `<line class="grid" x1="${at(x(mark))}" x2="${at(x(mark))}" y1="4" y2="${height - 22}"/>` +
        `<text class="soft" x="${at(x(mark))}" y="${height - 6}" text-anchor="middle">${plain(label(mark))}</text>`
    )
    .join("")

/** A scale of ratios: equal factors are equal distances. */
const logScale =
  (low: number, high: number, left: number, right: number) =>
  (value: number): number =>
    left + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (right - left)

const svg = (width: number, height: number, label: string, inner: string): string =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${Flamegraph.escape(label)}">${inner}</svg>`

const POINTS = 110
const ROW = 42

/** The range of positive values with a margin. */
const spread = (values: ReadonlyArray<number>): readonly [low: number, high: number] | undefined => {
  const positive = values.filter((value) => value > 0)
  if (positive.length === 0) return undefined
  const low = positive.reduce((least, value) => Math.min(least, value))
  const high = positive.reduce((most, value) => Math.max(most, value))
  return [low / 1.12, high * 1.12]
}

/** Distributions below each other, on one logarithmic axis. */
export const violins = (all: ReadonlyArray<Violin>): string => {
  const range = spread(all.flatMap(({ samples }) => samples.map(({ value }) => value)))
  if (range === undefined) return ""
  const [low, high] = range
  const height = all.length * ROW + 30
  const x = logScale(low, high, LABELS, WIDTH - 10)
  const shapes = all.map(({ colour, name, quartiles, samples }, index) => {
    const middle = index * ROW + ROW / 2 + 4
    const logs = samples
      .filter(({ value }) => value > 0)
      .map(({ value, weight }) => ({ value: Math.log(value), weight }))
    const points = Statistics.density(logs, { low: Math.log(low), high: Math.log(high), count: POINTS })
    const most = points.reduce((most, { value }) => Math.max(most, value), 0)
    const drawn = points
      .map(({ time, value }) => ({ x: x(Math.exp(time)), y: (value / most) * (ROW / 2 - 4) }))
      .filter(({ y }) => y > 0.15)
    const side = (sign: 1 | -1) => drawn.map((point) => `${at(point.x)},${at(middle + sign * point.y)}`)
    const [lower, median, upper] = quartiles
    return [
      `<text x="${LABELS - 12}" y="${at(middle + 4)}" text-anchor="end">${Flamegraph.escape(Format.shortened(name))}</text>`,
      `<polygon points="${[...side(-1), ...side(1).toReversed()].join(" ")}" fill="var(${colour})" opacity=".5"/>`,
      `<line x1="${at(x(lower))}" x2="${at(x(upper))}" y1="${middle}" y2="${middle}" stroke="var(${colour})" stroke-width="5" stroke-linecap="round"/>`,
      `<circle cx="${at(x(median))}" cy="${middle}" r="4" fill="var(--paper)" stroke="var(${colour})" stroke-width="2"/>`
    ].join("")
  })
  return svg(WIDTH, height, "Distributions of times", grid(x, ticks(low, high), height, Format.time) + shapes.join(""))
}

export interface Interval {
  readonly name: string
  readonly colour: string
  readonly estimate: Statistics.Estimate
}

/** Ratios to the base with their intervals, on one logarithmic axis. */
export const intervals = (all: ReadonlyArray<Interval>, threshold: number): string => {
  const range = spread([1 - threshold, 1 + threshold, ...all.flatMap(({ estimate }) => [estimate.low, estimate.high])])
  if (range === undefined || all.length === 0) return ""
  const [low, high] = range
  const height = all.length * 26 + 30
  const x = logScale(low, high, LABELS, WIDTH - 10)
  const band = `<rect x="${at(x(1 - threshold))}" y="4" width="${at(Math.max(1, x(1 + threshold) - x(1 - threshold)))}" height="${height - 26}" fill="var(--soft)" opacity=".15"/>`
  const marks = all.map(({ colour, estimate, name }, index) => {
    const y = index * 26 + 19
    return [
      `<text x="${LABELS - 12}" y="${y + 4}" text-anchor="end">${Flamegraph.escape(Format.shortened(name))}</text>`,
      `<line x1="${at(x(estimate.low))}" x2="${at(x(estimate.high))}" y1="${y}" y2="${y}" stroke="var(${colour})" stroke-width="3" stroke-linecap="round"/>`,
      `<circle cx="${at(x(estimate.value))}" cy="${y}" r="5" fill="var(${colour})"/>`
    ].join("")
  })
  return svg(WIDTH, height, "Ratios to the base", band + grid(x, ticks(low, high), height, ratio) + marks.join(""))
}

const HALF = 520
const TALL = 170

/** Two densities of ratios over each other: now, and in the last run. */
export const densities = (now: ReadonlyArray<number>, then: ReadonlyArray<number>, colour: string): string => {
  const range = spread([...now, ...then])
  if (range === undefined) return ""
  const [low, high] = range
  const x = logScale(low, high, 10, HALF - 10)
  const of = (values: ReadonlyArray<number>) =>
    Statistics.density(
      values.filter((value) => value > 0).map((value) => ({ value: Math.log(value), weight: 1 })),
      { low: Math.log(low), high: Math.log(high), count: POINTS }
    )
  const curves = [of(then), of(now)] as const
  const most = curves.flat().reduce((most, { value }) => Math.max(most, value), 0)
  const area = (points: ReadonlyArray<Statistics.Point>, attributes: string): string =>
    points.length === 0
      ? ""
      : `<polygon points="${[
          `10,${TALL - 22}`,
          ...points.map(
            ({ time, value }) => `${at(x(Math.exp(time)))},${at(TALL - 22 - (value / most) * (TALL - 34))}`
          ),
          `${HALF - 10},${TALL - 22}`
        ].join(" ")}" ${attributes}/>`
  const median = Option.match(Statistics.median(now), {
    onNone: () => "",
    onSome: (value) =>
      `<line x1="${at(x(value))}" x2="${at(x(value))}" y1="8" y2="${TALL - 22}" stroke="var(${colour})" stroke-width="2"/>`
  })
  const marks = [low, Math.sqrt(low * high), high]
  const axis = marks
    .map((mark, index) => {
      const anchor = ["start", "middle", "end"][index] ?? "middle"
      return `<text class="soft" x="${at(x(mark))}" y="${TALL - 5}" text-anchor="${anchor}">${ratio(mark)}</text>`
    })
    .join("")
  return svg(
    HALF,
    TALL,
    "Ratios now and in the last run",
    area(curves[0], `class="then"`) + area(curves[1], `fill="var(${colour})" opacity=".5"`) + median + axis
  )
}

/** Maximum dots: more would only overlap. */
const MOST_DOTS = 600

/** Values in order, as dots; those beyond Tukey's fences in the colours of warnings. */
export const dots = (values: ReadonlyArray<number>, colour: string, last: string): string => {
  const range = spread(values)
  if (range === undefined) return ""
  const [low, high] = range
  const y = logScale(low, high, TALL - 26, 10)
  const x = (index: number): number => 10 + (index / Math.max(values.length - 1, 1)) * (HALF - 20)
  const q = (share: number): number => Option.getOrElse(Statistics.quantile(values, share), () => Number.NaN)
  const [q1, q3] = [q(0.25), q(0.75)]
  const beyond = (value: number, ranges: number): boolean =>
    value < q1 - ranges * (q3 - q1) || value > q3 + ranges * (q3 - q1)
  const colourOf = (value: number): string => (beyond(value, 3) ? "--bad" : beyond(value, 1.5) ? "--warn" : colour)
  const step = Math.max(1, Math.ceil(values.length / MOST_DOTS))
  const marks = values.flatMap((value, index) =>
    value > 0 && index % step === 0
      ? [`<circle cx="${at(x(index))}" cy="${at(y(value))}" r="2.5" fill="var(${colourOf(value)})"/>`]
      : []
  )
  const middle = `<line class="one" x1="10" x2="${HALF - 10}" y1="${at(y(q(0.5)))}" y2="${at(y(q(0.5)))}"/>`
  const axis = `<text class="soft" x="10" y="${TALL - 5}">1</text><text class="soft" x="${HALF - 10}" y="${TALL - 5}" text-anchor="end">${Flamegraph.escape(last)}</text>`
  return svg(HALF, TALL, "In order", middle + marks.join("") + axis)
}
