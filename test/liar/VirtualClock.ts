/**
 * A Clock that jumps to the next sleeper as soon as the process is idle, so minutes of a cluster's time take
 * milliseconds. `TestClock` waits 10 ms of real time before each step, which is too slow for hundreds of runs.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventLoop from "../../services/internal/eventLoop.js"

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** Turns of the event loop before a step of the Clock, in which yielding fibers continue. */
const TURNS = 2

/** 14 November 2023. */
const START = 1_700_000_000_000

/** The first index whose sleeper wakes later than `at`. */
const indexAfter = (sleepers: ReadonlyArray<Sleeper>, at: number): number => {
  let low = 0
  let high = sleepers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sleepers[middle]?.at ?? Infinity) <= at) low = middle + 1
    else high = middle
  }
  return low
}

const make = () => {
  let now = START
  const sleepers: Array<Sleeper> = []
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => Math.floor(now),
    unsafeCurrentTimeNanos: () => BigInt(Math.floor(now * 1000)) * 1000n,
    currentTimeMillis: Effect.sync(() => Math.floor(now)),
    currentTimeNanos: Effect.sync(() => BigInt(Math.floor(now * 1000)) * 1000n),
    sleep: (duration) =>
      Effect.async((resume) => {
        const at = now + Duration.toMillis(duration)
        if (at === Infinity) return
        const sleeper: Sleeper = { at, wake: () => resume(Effect.void) }
        sleepers.splice(indexAfter(sleepers, at), 0, sleeper)
        return Effect.sync(() => {
          const index = sleepers.indexOf(sleeper)
          if (index >= 0) sleepers.splice(index, 1)
        })
      })
  }
  const step = Effect.sync(() => {
    const at = sleepers[0]?.at
    if (at === undefined) return
    now = Math.max(now, at)
    for (const { wake } of sleepers.splice(0, indexAfter(sleepers, at))) wake()
  })
  return { clock, drive: Effect.forever(Effect.zipRight(Effect.repeatN(EventLoop.next, TURNS - 1), step)) }
}

/** Runs an effect on its own virtual Clock. */
export const run = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const { clock, drive } = make()
    return Effect.raceFirst(Effect.withClock(effect, clock), drive)
  })
