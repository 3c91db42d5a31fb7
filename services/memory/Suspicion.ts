/**
 * Whether memory that survives major collections keeps growing. Values between collections say nothing: garbage that was
 * not collected yet looks like a leak.
 */
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Statistics from "../../src/observe/Statistics.js"

/**
 * An answer to "does it leak?".
 *
 * - `NotEnough`: too few major collections were seen. It does not mean that nothing leaks.
 * - `Steady`: what survives collections does not keep growing.
 * - `Growing`: it does, by `bytesPerSecond`, and chance is excluded with this `confidence` (0.99 to 1).
 *
 * `seconds` is the time over which it was judged.
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

/** The least bytes that survived a major collection within one period, and when it began. */
export interface Survived {
  readonly seconds: number
  readonly bytes: number
}

/** Eight minutes of periods of a second; the statistics look at each pair. */
const MAX_POINTS = 512

/** Mann–Kendall can reach 99 % with this many. */
const MIN_POINTS = 8

const CONFIDENCE = 0.99

/** Less growth than this over the time judged is noise of the engine. */
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
 * The first third is warm-up. What is left must rise as a whole, and as fast in its later half: a cache that filled and
 * is full rises in the whole only.
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
