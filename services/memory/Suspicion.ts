/**
 * Judges whether memory that survives major collections keeps growing. Values between collections are useless:
 * uncollected garbage looks like a leak.
 */
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Statistics from "../../src/observe/Statistics.js"

/**
 * The judgement of a suspected leak.
 *
 * - `NotEnough`: there were too few major collections to judge. A leak is still possible.
 * - `Steady`: the surviving memory does not keep growing.
 * - `Growing`: the surviving memory grows by `bytesPerSecond`, with this statistical `confidence` (0.99 to 1).
 *
 * `seconds` is the observed time.
 *
 * @since 0.1.0
 * @category models
 */
export type Suspicion = Data.TaggedEnum<{
  NotEnough: { readonly majors: number }
  Steady: { readonly bytesPerSecond: number; readonly confidence: number; readonly seconds: number }
  Growing: { readonly bytesPerSecond: number; readonly confidence: number; readonly seconds: number }
}>

const { Growing, NotEnough, Steady } = Data.taggedEnum<Suspicion>()

/** The minimum of bytes that survived a major collection within one period, and the period's start. */
export interface Survived {
  readonly seconds: number
  readonly bytes: number
}

/** Maximum periods: more than eight minutes of periods of a second. The time of the statistics is quadratic. */
const MAX_POINTS = 512

/** Minimum periods with which Mann–Kendall can reach 99 %. */
const MIN_POINTS = 8

const CONFIDENCE = 0.99

/** Minimum growth in bytes over the observed time. Less growth is noise of the engine. */
const MIN_GROWTH = 1024 * 1024

export class Survivors {
  readonly #points: Array<Survived> = []
  #majors = 0

  constructor(readonly periodMillis: number) {}

  /** Adds the bytes that a major collection left at this millisecond of the monotonic clock. */
  add(millis: number, bytes: number): void {
    this.#majors++
    const seconds = (Math.floor(millis / this.periodMillis) * this.periodMillis) / 1000
    const last = this.#points.at(-1)
    if (last === undefined || last.seconds < seconds) {
      this.#points.push({ seconds, bytes })
      if (this.#points.length > MAX_POINTS) this.#points.shift()
    } else this.#points[this.#points.length - 1] = { seconds: last.seconds, bytes: Math.min(last.bytes, bytes) }
  }

  get suspicion(): Suspicion {
    return judge(this.#points, this.#majors)
  }
}

const slopeOf = (points: ReadonlyArray<Survived>): number =>
  Option.getOrElse(Statistics.theilSen(points.map(({ bytes, seconds }) => ({ time: seconds, value: bytes }))), () => 0)

/**
 * The first third is warm-up and does not count. The rest must rise as a whole, and in its later half at least half as
 * fast: a cache that has filled up rises only in the earlier half.
 */
export const judge = (points: ReadonlyArray<Survived>, majors: number): Suspicion => {
  const judged = points.slice(Math.floor(points.length / 3))
  const [first, last] = [judged.at(0), judged.at(-1)]
  if (judged.length < MIN_POINTS || first === undefined || last === undefined) return NotEnough({ majors })
  const seconds = last.seconds - first.seconds
  const bytesPerSecond = slopeOf(judged)
  const later = slopeOf(judged.slice(Math.floor(judged.length / 2)))
  const trend = Option.getOrElse(Statistics.mannKendall(judged.map(({ bytes }) => bytes)), () => ({
    z: 0,
    confidence: 0
  }))
  const isGrowing =
    trend.z > 0 &&
    trend.confidence >= CONFIDENCE &&
    bytesPerSecond * seconds >= MIN_GROWTH &&
    later >= bytesPerSecond / 2
  const found = { bytesPerSecond, confidence: trend.confidence, seconds }
  return isGrowing ? Growing(found) : Steady(found)
}
