import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Runner from "@effect/cluster/Runner"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as RunnerHealth from "@effect/cluster/RunnerHealth"
import * as RunnerStorage from "@effect/cluster/RunnerStorage"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "@effect/cluster/SqlRunnerStorage"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as FailureDetector from "../../layers/cluster/FailureDetector.js"
import { sharding } from "../../layers/cluster/Settings.js"
import * as SqliteClient from "../../layers/cluster/SqliteClient.js"

const INTERVAL = "5 seconds"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "runners-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

const addressOf = (port: number) => RunnerAddress.make("127.0.0.1", port)

/**
 * Runners that check each other over one database. In `unreachable`, "2" is a runner that none can reach, and "1 2" one
 * that the first cannot reach.
 */
const runners = (ports: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const settings = yield* sharding({ runnerHealthCheckInterval: INTERVAL })
    const context = yield* Layer.build(
      SqlRunnerStorage.layer.pipe(
        Layer.provide(ShardingConfig.layer(settings)),
        Layer.provide(SqliteClient.layer(join(yield* folder, "runners.sqlite")))
      )
    )
    const storage = yield* Effect.provide(RunnerStorage.RunnerStorage, context)
    const checks: Array<string> = []
    const unreachable = new Set<string>()
    const during = new Map<string, Effect.Effect<void>>()
    const start = (port: number) =>
      Effect.gen(function* () {
        const address = addressOf(port)
        const scope = yield* Scope.make()
        yield* storage.register(Runner.make({ address, groups: ["default"], weight: 1 }), true)
        const health = Layer.succeed(RunnerHealth.RunnerHealth, {
          isAlive: (to) =>
            Effect.sync(() => {
              checks.push(`${port} ${to.port}`)
              return !unreachable.has(`${to.port}`) && !unreachable.has(`${port} ${to.port}`)
            }).pipe(Effect.zipLeft(Effect.suspend(() => during.get(`${port} ${to.port}`) ?? Effect.void)))
        })
        yield* FailureDetector.layer.pipe(
          Layer.provide([health, Layer.succeed(RunnerStorage.RunnerStorage, storage)]),
          Layer.provide(ShardingConfig.layer({ ...settings, runnerAddress: Option.some(address) })),
          Layer.buildWithScope(scope)
        )
        return {
          kill: Effect.zipRight(
            Effect.sync(() => unreachable.add(`${port}`)),
            Scope.close(scope, Exit.void)
          )
        }
      })
    const started = yield* Effect.forEach(ports, start)
    return {
      storage,
      unreachable,
      during,
      kill: (index: number) => started[index]?.kill ?? Effect.dieMessage("no runner"),
      checksAfter: (time: typeof INTERVAL | "20 seconds") =>
        Effect.map(TestClock.adjust(time), () => checks.splice(0).toSorted()),
      healthy: Effect.map(storage.getRunners, (all) =>
        all.flatMap(([{ address }, isHealthy]) => (isHealthy ? [address.port] : [])).toSorted((a, b) => a - b)
      )
    }
  })

it.scoped("Given runners, When they check each other, Then each is checked by exactly one", () =>
  Effect.gen(function* () {
    const { checksAfter, healthy } = yield* runners([30, 4, 200])
    expect(yield* checksAfter(INTERVAL)).toEqual(["200 30", "30 4", "4 200"])
    expect(yield* healthy).toEqual([4, 30, 200])
  })
)

it.scoped("Given one runner, When the time of a check has come, Then it checks none", () =>
  Effect.gen(function* () {
    const { checksAfter, healthy } = yield* runners([1])
    expect(yield* checksAfter("20 seconds")).toEqual([])
    expect(yield* healthy).toEqual([1])
  })
)

it.scoped(
  "Given any one that died, When the others check, Then it is found at the next check, without a singleton",
  () =>
    Effect.forEach([0, 1, 2], (index) =>
      Effect.gen(function* () {
        const { checksAfter, healthy, kill } = yield* runners([1, 2, 3])
        yield* kill(index)
        yield* checksAfter(INTERVAL)
        const left = [1, 2, 3].filter((port) => port !== index + 1)
        expect(yield* healthy).toEqual(left)
        expect(yield* checksAfter(INTERVAL)).toEqual([`${left[0]} ${left[1]}`, `${left[1]} ${left[0]}`])
      }).pipe(Effect.scoped)
    )
)

it.scoped("Given neighbors that died together, When the others check, Then they are found one after another", () =>
  Effect.gen(function* () {
    const { checksAfter, healthy, kill } = yield* runners([1, 2, 3, 4])
    yield* kill(1)
    yield* kill(2)
    yield* kill(3)
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([1, 3, 4])
    yield* checksAfter(INTERVAL)
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([1])
    expect(yield* checksAfter("20 seconds")).toEqual([])
  })
)

it.scoped("Given a runner that one cannot reach, When another sets it healthy again, Then it stays healthy", () =>
  Effect.gen(function* () {
    const { checksAfter, healthy, storage, unreachable } = yield* runners([1, 2, 3])
    unreachable.add("1 2")
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([1, 3])
    yield* storage.setRunnerHealth(addressOf(2), true)
    yield* checksAfter("20 seconds")
    expect(yield* healthy).toEqual([1, 2, 3])
    unreachable.delete("1 2")
    yield* checksAfter(INTERVAL)
    unreachable.add("2")
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([1, 3])
  })
)

it.scoped("Given a runner that counts as unhealthy, When it reaches nobody, Then it marks nobody", () =>
  Effect.gen(function* () {
    const { checksAfter, healthy, storage, unreachable } = yield* runners([1, 2])
    yield* storage.setRunnerHealth(addressOf(1), false)
    unreachable.add("1 2")
    expect(yield* checksAfter("20 seconds")).toEqual([])
    expect(yield* healthy).toEqual([2])
  })
)

it.scoped("Given two runners that one cannot reach, When others set them healthy again, Then both stay healthy", () =>
  Effect.gen(function* () {
    const { checksAfter, healthy, storage, unreachable } = yield* runners([1, 2, 3])
    unreachable.add("1 2")
    unreachable.add("1 3")
    yield* checksAfter(INTERVAL)
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([1])
    yield* storage.setRunnerHealth(addressOf(2), true)
    yield* storage.setRunnerHealth(addressOf(3), true)
    yield* checksAfter("20 seconds")
    expect(yield* healthy).toEqual([1, 2, 3])
  })
)

it.scoped("Given a runner that was marked and left, When it comes back and dies, Then it is marked again", () =>
  Effect.gen(function* () {
    const { checksAfter, healthy, storage, unreachable } = yield* runners([1, 2])
    unreachable.add("2")
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([1])
    yield* storage.unregister(addressOf(2))
    yield* checksAfter(INTERVAL)
    yield* storage.register(Runner.make({ address: addressOf(2), groups: ["default"], weight: 1 }), true)
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([1])
  })
)

it.scoped("Given a check that takes long, When its own runner is marked meanwhile, Then it marks nobody", () =>
  Effect.gen(function* () {
    const { checksAfter, during, healthy, storage, unreachable } = yield* runners([1, 2, 3])
    unreachable.add("1 2")
    during.set("1 2", Effect.orDie(storage.setRunnerHealth(addressOf(1), false)))
    yield* checksAfter(INTERVAL)
    expect(yield* healthy).toEqual([2, 3])
  })
)
