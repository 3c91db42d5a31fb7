import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as EmbeddedServer from "../../../layers/EmbeddedServer.js"
import * as AppliedEvents from "../../support/appliedEvents.js"
import { bundled } from "../../support/bundled.js"
import * as Eventful from "../../support/eventful.js"

const SCRIPT = new URL("../../support/eventsChild.ts", import.meta.url).pathname

/** Processes that are killed; `KILLS` asks for more. */
const KILLS = Number(process.env["KILLS"] ?? 3)

/** Milliseconds that a process lives after it began to stream. */
const LIFE = 120

/** Runs a process to its end, or kills it so many milliseconds after it has begun to stream. */
const live = (args: ReadonlyArray<string>, life: number) =>
  Effect.async<number | null>((resume) => {
    const child = spawn(process.execPath, [bundled(SCRIPT), ...args], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let timer: NodeJS.Timeout | undefined
    child.stdout.once("data", () => {
      if (life < Infinity) timer = setTimeout(() => child.kill("SIGKILL"), life)
    })
    child.once("error", (error) => resume(Effect.die(error)))
    child.once("close", (code) => {
      clearTimeout(timer)
      resume(Effect.succeed(code))
    })
    return Effect.sync(() => {
      clearTimeout(timer)
      child.kill("SIGKILL")
    })
  })

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "events-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

describe("a process that applies events and is killed", () => {
  it.scopedLive(
    "Given its effect and cursor are one SQLite transaction, When it is killed at random moments, Then each event is applied once",
    () =>
      Effect.gen(function* () {
        const { url } = yield* EmbeddedServer.serve()
        const file = join(yield* directory, "applied")
        const transactions = 12 * (KILLS + 1)
        const count = 1 + 3 * transactions
        yield* Eventful.begin
        const talking = yield* Effect.fork(
          Effect.forEach(
            Array.from({ length: transactions }, (_, index) => 3 * index),
            (number) => Effect.zipLeft(Eventful.say(number, number + 1, number + 2), Effect.sleep("30 millis"))
          )
        )
        for (let kill = 0; kill < KILLS; kill++) yield* live([url, file, String(count)], Math.random() * LIFE)
        const signatures = yield* Fiber.join(talking)
        assert.strictEqual(yield* live([url, file, String(count)], Infinity), 0)
        const applied = yield* Effect.flatMap(AppliedEvents.open(file), ({ names }) => names)
        assert.strictEqual(applied.length, count)
        assert.deepStrictEqual(applied.slice(1), Eventful.names(yield* Eventful.eventsOf(signatures)))
      }).pipe(Effect.provide(Layer.fresh(Eventful.layer()))),
    120_000 + 30_000 * KILLS
  )
})
