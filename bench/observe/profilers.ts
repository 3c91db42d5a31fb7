/**
 * The profiler, and its floor: V8's sampling alone, through a session of the inspector with the same interval. A case
 * counts the CPU time of all threads between start and end of the recording, without the time to start and to read it.
 */
import { Session } from "node:inspector/promises"
import * as Duration from "effect/Duration"
import type { Case } from "../harness.js"
import * as Ours from "../hotpath/ours.js"

const floor = (interval: Duration.Duration) => {
  const run = Ours.unprofiled()
  return async (calls: number): Promise<number> => {
    const session = new Session()
    session.connect()
    await session.post("Profiler.enable")
    await session.post("Profiler.setSamplingInterval", { interval: Duration.toMillis(interval) * 1000 })
    await session.post("Profiler.start")
    const millis = await run(calls)
    await session.post("Profiler.stop")
    session.disconnect()
    return millis
  }
}

const named = (name: string, time: (calls: number) => Promise<number>): Case => ({
  name,
  operations: Ours.MESSAGES,
  time
})

/** The names of the pairs, without `floor` and `profiler`. */
export const INTERVALS = ["1 ms", "0.2 ms"] as const

export const BASE = "not profiled"

export const cases: ReadonlyArray<Case> = [
  named(BASE, Ours.unprofiled()),
  ...INTERVALS.flatMap((text) => {
    const interval = Duration.millis(Number.parseFloat(text))
    return [
      named(`floor ${text}`, floor(interval)),
      named(`profiler ${text}`, Ours.profiled({ bySpan: false, interval }))
    ]
  }),
  named("profiler by span", Ours.profiled({ bySpan: true }))
]
