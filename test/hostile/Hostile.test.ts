import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { bundled } from "../support/bundled.js"
import { runs } from "../support/runs.js"
import * as Hostile from "./Hostile.js"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

describe("hostile frames, replies and requests", () => {
  it.live(
    "Given cases of any seed, When played, Then none crashes, hangs or ends with an untyped error",
    () =>
      Effect.gen(function* () {
        const seed = 1 + Math.floor(Math.random() * 1_000_000)
        const { findings, report } = yield* Hostile.run({ cases: runs(600), seed })
        assert.deepStrictEqual(findings, [], `seed ${seed}`)
        assert.isAtLeast(report.cases, 600)
      }),
    3_600_000
  )

  it.live("Given one planted fault of each kind, When a tally watches, Then it counts each", () =>
    Effect.gen(function* () {
      const child = [bundled("test/hostile/plantedChild.ts")]
      const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, child, { cwd: ROOT }))
      const { crashes, hangs, untypedErrors } = JSON.parse(stdout)
      for (const planted of ["exception", "rejection", "defect", "death"]) {
        assert.lengthOf(
          crashes.filter((line: string) => line.includes(`planted ${planted}`)),
          1,
          planted
        )
      }
      assert.lengthOf(crashes, 4)
      assert.deepStrictEqual(hangs, ["planted hang"])
      assert.lengthOf(untypedErrors, 1)
    })
  )
})
