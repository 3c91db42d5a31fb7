/**
 * Finds runners that died. `@effect/cluster` checks the health of all runners in a singleton, which is on one of them. If
 * that one dies, its agents are unavailable until its registration expires (`shardLockExpiration`). So each healthy runner
 * also checks the next one, in a ring of the healthy runners ordered by address.
 *
 * The singleton decides: a runner that this one cannot reach, but the singleton can, is marked once. It is marked again
 * only after this runner reached it, or it left the list.
 */
import type * as Runner from "@effect/cluster/Runner"
import * as RunnerHealth from "@effect/cluster/RunnerHealth"
import * as RunnerStorage from "@effect/cluster/RunnerStorage"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TimeLimit from "../../services/internal/timeLimit.js"

const inTime = TimeLimit.within("5 seconds", () => new Cause.TimeoutException("the database did not answer"))

const keyOf = ({ address: { host, port } }: Runner.Runner) => `${host}:${port}`

/** The runner after this one. `undefined` if there is no other one, or this one is not healthy. */
const nextTo = (own: string, runners: ReadonlyArray<readonly [Runner.Runner, boolean]>): Runner.Runner | undefined => {
  const healthy = runners.filter(([, isHealthy]) => isHealthy).map(([runner]) => runner)
  if (!healthy.some((runner) => keyOf(runner) === own)) return undefined
  const others = healthy.filter((runner) => keyOf(runner) !== own).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return others.find((runner) => keyOf(runner) > own) ?? others[0]
}

/** Checks the next runner of the ring, every `runnerHealthCheckInterval`. */
export const layer: Layer.Layer<
  never,
  never,
  RunnerHealth.RunnerHealth | RunnerStorage.RunnerStorage | ShardingConfig.ShardingConfig
> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { runnerAddress, runnerHealthCheckInterval } = yield* ShardingConfig.ShardingConfig
    const { isAlive } = yield* RunnerHealth.RunnerHealth
    const storage = yield* RunnerStorage.RunnerStorage
    if (Option.isNone(runnerAddress)) return
    const own = `${runnerAddress.value.host}:${runnerAddress.value.port}`
    const marked = new Set<string>()
    const list = inTime(storage.getRunners)
    const check = Effect.gen(function* () {
      const runners = yield* list
      const listed = new Set(runners.map(([runner]) => keyOf(runner)))
      for (const key of marked) if (!listed.has(key)) marked.delete(key)
      const next = nextTo(own, runners)
      if (next === undefined) return
      const key = keyOf(next)
      if (yield* isAlive(next.address)) {
        marked.delete(key)
      } else if (!marked.has(key)) {
        // The check may take a minute. In that time, one of the two may have been marked or have left.
        const still = nextTo(own, yield* list)
        if (still === undefined || keyOf(still) !== key) return
        yield* inTime(storage.setRunnerHealth(next.address, false))
        marked.add(key)
      }
    })
    yield* check.pipe(
      Effect.catchAllCause((cause) => Effect.logDebug("A check of a runner's health failed", cause)),
      Effect.delay(runnerHealthCheckInterval),
      Effect.forever,
      Effect.interruptible,
      Effect.forkScoped
    )
  })
)
