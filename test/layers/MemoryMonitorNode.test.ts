import { execFile } from "node:child_process"
import { realpathSync } from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as MemoryMonitorNode from "../../layers/MemoryMonitorNode.js"
import { MemoryMonitor } from "../../services/MemoryMonitor.js"
import { bundled } from "../support/bundled.js"

const run = promisify(execFile)
const cwd = path.resolve(import.meta.dirname, "../..")

const child = async (scenario: string, seed: number, flags: ReadonlyArray<string> = []) => {
  const { stdout } = await run(
    process.execPath,
    ["--expose-gc", ...flags, bundled("test/support/memoryChild.ts"), scenario, String(seed)],
    { cwd }
  )
  return JSON.parse(stdout)
}

/** Node's flags that refuse the inspector and all files but those of this project. */
const permission = () => {
  const [flag = "--experimental-permission"] = ["--permission"].filter((name) =>
    process.allowedNodeEnvironmentFlags.has(name)
  )
  return [flag, `--allow-fs-read=${realpathSync(cwd)}/*`]
}

describe("MemoryMonitorNode", () => {
  it.each([
    ["leak", 1, "Growing"],
    ["leak", 2, "Growing"],
    ["buffers", 3, "Growing"],
    ["sawtooth", 4, "Steady"],
    ["sawtooth", 5, "Steady"],
    ["cache", 6, "Steady"],
    ["cache", 7, "Steady"],
    ["idle", 8, "NotEnough"]
  ] as const)(
    "Given a process that plays %s by seed %i, When it is judged, Then it is %s, and ends by itself",
    async (scenario, seed, verdict) => {
      const { suspicion } = await child(scenario, seed)
      expect(suspicion._tag, JSON.stringify(suspicion)).toBe(verdict)
      if (verdict === "Growing") {
        expect(suspicion.bytesPerSecond).toBeGreaterThan(100_000)
        expect(suspicion.confidence).toBeGreaterThanOrEqual(0.99)
      }
    }
  )

  it.live("Given this process, When its memory is read and collected, Then the figures are possible", () =>
    Effect.gen(function* () {
      const monitor = yield* MemoryMonitor
      const stats = yield* monitor.stats
      expect(stats.rssBytes).toBeGreaterThan(stats.heapUsedBytes)
      expect(stats.heapTotalBytes).toBeGreaterThanOrEqual(stats.heapUsedBytes)
      expect(stats.heapLimitBytes).toBeGreaterThan(stats.heapTotalBytes)
      expect(Option.getOrElse(stats.containerLimitBytes, () => 1)).toBeLessThan(2 ** 60)
      if (process.platform === "linux") expect(Option.getOrElse(stats.stackBytes, () => 0)).toBeGreaterThan(4096)
      expect(stats.pools["KnownAddresses"]).toBeGreaterThanOrEqual(0)

      const gc = yield* monitor.triggerGc
      expect(gc.freedBytes).toBeGreaterThanOrEqual(0)
      const again = yield* Effect.flip(monitor.triggerGc)
      expect([again.reason, again.isRetryable]).toEqual(["TooOften", true])
    }).pipe(Effect.provide(MemoryMonitorNode.layer()))
  )

  it("Given a process that may read no file of the system, When its memory is read and collected, Then stack and collection are not available", async () => {
    const { collection, stats } = await child("readOnce", 9, permission())
    expect(stats.stackBytes).toBeNull()
    expect(stats.rssBytes).toBeGreaterThan(stats.heapUsedBytes)
    expect(collection).toMatchObject({ _tag: "MemoryMonitorError", reason: "NotAvailable" })
  })

  it.live("Given the layer built twice, When one has closed, Then the other one has its own pools and goes on", () =>
    Effect.gen(function* () {
      const one = yield* MemoryMonitor
      const other = yield* Effect.provide(MemoryMonitor, Layer.fresh(MemoryMonitorNode.layer()))
      const pool = { name: "mine", bytes: Effect.succeed(5), shrink: () => Effect.succeed(0) }
      yield* one.register(pool)
      expect((yield* one.stats).pools["mine"]).toBe(5)
      expect((yield* other.stats).pools["mine"]).toBeUndefined()
      expect((yield* one.triggerGc).freedBytes).toBeGreaterThanOrEqual(0)
    }).pipe(Effect.scoped, Effect.provide(MemoryMonitorNode.layer()))
  )

  it.effect("Given options that cannot be, When the layer is built, Then InvalidInput names each", () =>
    Effect.gen(function* () {
      const cases = [
        [{ period: 0 }, "period"],
        [{ period: "1 day" }, "period"],
        [{ high: 0.9, critical: 0.5 }, "high"],
        [{ critical: 1.5 }, "critical"],
        [{ critical: Number.NaN }, "critical"],
        [{ hysteresis: -1 }, "hysteresis"],
        [{ hysteresis: 0.8 }, "hysteresis"],
        [{ gcInterval: 0 }, "gcInterval"]
      ] as const
      for (const [options, field] of cases) {
        const built = yield* Effect.exit(Effect.scoped(Layer.build(MemoryMonitorNode.layer(options))))
        expect(Exit.isFailure(built) && String(built.cause)).toContain(`${field}: must be`)
      }
    })
  )
})
