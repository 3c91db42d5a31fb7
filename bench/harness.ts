/**
 * An interleaved micro-benchmark. Every round runs every case once, in shuffled order. A case is compared with the base case
 * of the same round, because a disturbance of the machine affects both. So the median of the paired ratios is much steadier
 * than the times. Time is the CPU time of the process, including its garbage collector.
 */

import { readFileSync } from "node:fs"

/** The work of a contender. */
export type Work = {
  /** Operations in one call. Times are per operation. Default 1. */
  readonly operations?: number
} & (
  | {
      /** One call. A promise is awaited before the next call. The result is kept, so that it is not optimised away. */
      readonly run: (iteration: number) => unknown
    }
  | {
      /** For work in another process: the milliseconds of CPU that a number of calls took. */
      readonly time: (calls: number) => Promise<number>
    }
)

/** One contender. */
export type Case = Work & { readonly name: string }

/** How long to measure. */
export interface Options {
  /** Name of the case that ratios are relative to. Default: the first. */
  readonly base?: string
  /** Number of rounds. Too few: noisy medians. Too many: a long run. Default 21. */
  readonly rounds?: number
  /** Milliseconds of CPU of a case in one round. Below 2: timer noise. Above 50: the machine changes within a round. Default 12. */
  readonly roundMillis?: number
  /** Milliseconds of warm-up of each case, in which the compiler optimises it. Default 150. */
  readonly warmMillis?: number
}

/** The measurements of a case. */
export interface Row {
  readonly name: string
  /** Median, 10th and 90th percentile of the microseconds of CPU per operation. */
  readonly micros: number
  readonly p10: number
  readonly p90: number
  /** Median over the rounds of this case's time divided by the base's. */
  readonly ratio: number
  /** Microseconds of CPU per operation, for each round. */
  readonly rounds: ReadonlyArray<number>
}

/** A titled group of cases that do the same work. */
export interface Report {
  readonly title: string
  readonly base: string
  readonly rows: ReadonlyArray<Row>
}

/** Keeps results alive. */
let sink: unknown

/** Milliseconds of CPU of the calls. Other processes do not count. */
export const repeat = async (work: Work, times: number): Promise<number> => {
  if ("time" in work) return work.time(times)
  const started = process.cpuUsage()
  for (let i = 0; i < times; i++) {
    sink = work.run(i)
    if (sink instanceof Promise) await sink
  }
  const { system, user } = process.cpuUsage(started)
  return Math.max(0.001, (system + user) / 1000)
}

/** Warms a case up and returns the number of calls that fill a round. */
const calibrate = async (work: Work, warmMillis: number, roundMillis: number): Promise<number> => {
  let calls = 1
  let millis = 0
  for (let spent = 0; spent < warmMillis; spent += millis) {
    millis = await repeat(work, calls)
    if (millis < roundMillis) calls *= 2
  }
  return Math.max(1, Math.round((calls * roundMillis) / (await repeat(work, calls))))
}

const quantile = (values: ReadonlyArray<number>, at: number): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const position = (sorted.length - 1) * at
  const low = sorted[Math.floor(position)] ?? Number.NaN
  const high = sorted[Math.ceil(position)] ?? Number.NaN
  return low + (high - low) * (position - Math.floor(position))
}

/** The middle of the values. */
export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** Median of the ratios of two cases, each taken in the same round. */
export const pairedRatio = (rounds: ReadonlyArray<number>, base: ReadonlyArray<number>): number =>
  median(rounds.map((value, round) => value / (base[round] ?? Number.NaN)))

const shuffled = (length: number): ReadonlyArray<number> => {
  const order = Array.from({ length }, (_, index) => index)
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const swapped = order[i] ?? i
    order[i] = order[j] ?? j
    order[j] = swapped
  }
  return order
}

/** Measures the cases against each other in this process. */
export const measure = async (
  title: string,
  cases: ReadonlyArray<Case>,
  { base = cases[0]?.name ?? "", roundMillis = 12, rounds = 21, warmMillis = 150 }: Options = {}
): Promise<Report> => {
  const calls: Array<number> = []
  for (const contender of cases) calls.push(await calibrate(contender, warmMillis, roundMillis))
  const micros = cases.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    for (const index of shuffled(cases.length)) {
      const contender = cases[index]
      const times = calls[index]
      if (contender === undefined || times === undefined) continue
      const millis = await repeat(contender, times)
      micros[index]?.push((millis * 1000) / times / (contender.operations ?? 1))
    }
  }
  const baseMicros = micros[cases.findIndex(({ name }) => name === base)] ?? []
  return {
    title,
    base,
    rows: cases.map(({ name }, index) => {
      const own = micros[index] ?? []
      return {
        name,
        micros: median(own),
        p10: quantile(own, 0.1),
        p90: quantile(own, 0.9),
        ratio: pairedRatio(own, baseMicros),
        rounds: own
      }
    })
  }
}

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))

/** The main thread's time on a CPU, where Linux tells it. */
const SCHEDULED = `/proc/self/task/${process.pid}/schedstat`

/** Milliseconds of CPU of the thread that runs the event loop. Elsewhere than on Linux, of all threads of the process. */
const loopMillis = (): number => {
  if (process.platform === "linux") return Number(readFileSync(SCHEDULED, "latin1").split(" ", 1)[0]) / 1e6
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** Milliseconds of CPU in the longest turn of the event loop during a call, in which nothing else could run. */
export const longestTurnOf = async (run: () => unknown): Promise<number> => {
  let worst = 0
  let isOver = false
  let last = loopMillis()
  const look = (): void => {
    const now = loopMillis()
    worst = Math.max(worst, now - last)
    last = loopMillis()
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  sink = await run()
  isOver = true
  await new Promise(setImmediate)
  return worst
}

/** The median of {@link longestTurnOf} over some calls. */
export const longestTurn = async (run: (iteration: number) => unknown, calls = 21): Promise<number> => {
  const longest: Array<number> = []
  for (let call = 0; call < calls; call++) longest.push(await longestTurnOf(() => run(call)))
  return median(longest)
}

/** A Markdown table. */
export const table = ({ base, rows, title }: Report): string =>
  [
    `### ${title}`,
    "",
    `| case | µs of CPU (median) | p10 | p90 | × ${base} |`,
    "|---|---:|---:|---:|---:|",
    ...rows.map(
      ({ micros, name, p10, p90, ratio }) =>
        `| ${name} | ${digits(micros)} | ${digits(p10)} | ${digits(p90)} | ${digits(ratio)} |`
    ),
    ""
  ].join("\n")
