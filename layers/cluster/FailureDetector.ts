/**
 * Finds runners that died. `@effect/cluster` checks the health of all runners in a singleton, which is on one of them. If
 * that one dies, its agents are unavailable until its registration expires (`shardLockExpiration`). So each healthy runner
 * also checks the next one, in a ring of the healthy runners ordered by address.
 *
 * The singleton decides: a runner that this one cannot reach, but the singleton can, is marked once. It is marked again
 * only after this runner reached it, or it left the list.
 */
import type * as Runner from "@effect/cluster/Runner"
import type * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as RunnerHealth from "@effect/cluster/RunnerHealth"
import * as RunnerStorage from "@effect/cluster/RunnerStorage"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TimeLimit from "../../services/internal/timeLimit.js"

const inTime = TimeLimit.within("5 seconds", () => new Cause.TimeoutException("the database did not answer"))

const keyOf = ({ host, port }: RunnerAddress.RunnerAddress) => `${host}:${port}`

/** The runner after this one. `undefined` if there is no other one, or this one is not healthy. */
const nextTo = (own: string, runners: ReadonlyArray<readonly [Runner.Runner, boolean]>) => {
  const healthy = new Map(
    runners.flatMap(([{ address }, isHealthy]) => (isHealthy ? [[keyOf(address), address] as const] : []))
  )
  if (!healthy.delete(own)) return undefined
  const keys = [...healthy.keys()].toSorted()
  const next = keys.find((key) => key > own) ?? keys[0]
  return next === undefined ? undefined : healthy.get(next)
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
    const own = keyOf(runnerAddress.value)
    const marked = new Set<string>()
    const list = inTime(storage.getRunners)
    const check = Effect.gen(function* () {
      const runners = yield* list
      const listed = new Set(runners.map(([{ address }]) => keyOf(address)))
      for (const key of marked) if (!listed.has(key)) marked.delete(key)
      const next = nextTo(own, runners)
      if (next === undefined) return
      const key = keyOf(next)
      if (yield* isAlive(next)) {
        marked.delete(key)
      } else if (!marked.has(key)) {
        // The check may take a minute. In that time, one of the two may have been marked or have left.
        const still = nextTo(own, yield* list)
        if (still === undefined || keyOf(still) !== key) return
        yield* inTime(storage.setRunnerHealth(next, false))
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
