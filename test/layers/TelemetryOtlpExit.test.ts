import { spawn } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { bundled } from "../support/bundled.js"
import { receiver, until } from "../support/otlpReceiver.js"

/** Runs the child until its first spans have been asked for, ends it, and returns what it said. */
const ended = (url: string, shutdownTimeout: number, isUnderWay: () => boolean) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [bundled("test/support/otlpChild.ts"), url, String(shutdownTimeout)], {
          stdio: ["ignore", "pipe", "inherit"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    const closed = Effect.async<void>((resume) => void child.once("close", () => resume(Effect.void)))
    const waiting = yield* Effect.fork(closed)
    yield* Effect.yieldNow()
    yield* until(isUnderWay)
    child.kill("SIGTERM")
    yield* Fiber.join(waiting)
    return Schema.decodeSync(Said)(output.trim().split("\n").at(-1) ?? "")
  })

const Said = Schema.parseJson(
  Schema.Struct({
    traces: Schema.Struct({ made: Schema.Number, sent: Schema.Number, dropped: Schema.Number, waiting: Schema.Number })
  })
)

describe("TelemetryOtlp: a process that is ended", () => {
  it.scopedLive(
    "Given a burst of spans, When SIGTERM comes, Then all have arrived",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        collector.answers = [{ status: 200, after: 50 }]
        const { traces } = yield* ended(collector.url, 20_000, () => collector.spans().length > 0)
        expect(traces).toMatchObject({ sent: traces.made, dropped: 0, waiting: 0 })
        expect(collector.spans()).toHaveLength(traces.made)
      }),
    300_000
  )

  it.scopedLive(
    "Given a collector that hangs, When SIGTERM comes, Then the process ends and has counted its loss",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        collector.answers = ["hang"]
        const { traces } = yield* ended(collector.url, 200, () => collector.maxOpen() > 0)
        expect(traces).toMatchObject({ sent: 0, dropped: traces.made, waiting: 0 })
      }),
    300_000
  )
})
