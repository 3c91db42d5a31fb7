/** The parent's side of the benchmark: a node and contenders, each in its own process. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Benchmark from "../../services/Benchmark.js"
import { answerOf } from "../child.js"
import type { Ask, Failed, Measured } from "./protocol.js"

export interface Node {
  readonly url: string
  readonly wsUrl: string
  /** Calls and subscriptions served so far. */
  readonly calls: Effect.Effect<number>
}

/** Starts a bundle, named by its path below the folder of all bundles. */
export const spawned = (file: string, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), [...args])),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )

export const asked = (child: ChildProcess, message?: object) =>
  Effect.tryPromise({
    try: () => {
      const answer = answerOf(child)
      if (message !== undefined) child.send(message)
      return answer
    },
    catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
  })

export const startNode = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const child = yield* spawned("sdks/node.mjs", ...args)
  const { url, wsUrl } = (yield* asked(child)) as Pick<Node, "url" | "wsUrl">
  return { url, wsUrl, calls: Effect.orDie(Effect.map(asked(child, {}), Number)) }
})

export const hasFailed = (answer: unknown): answer is Failed =>
  typeof answer === "object" && answer !== null && "failure" in answer

/** A contender in its own process, with the costs of an operation other than its time. */
export const started = (file: string, node: Node, job: object, note?: string) =>
  Benchmark.remote(
    Effect.gen(function* () {
      const child = yield* spawned(file, JSON.stringify(job))
      const ready = yield* asked(child)
      if (hasFailed(ready)) return yield* Effect.fail(ready.failure)
      const sum = { operations: 0, cpu: 0, bytes: 0, calls: 0, rss: 0 }
      return {
        latencies: (plan: Benchmark.Plan) =>
          Effect.gen(function* () {
            const prepared = yield* asked(child, { ...plan, isPrepared: false } satisfies Ask)
            if (hasFailed(prepared)) return yield* Effect.fail(prepared.failure)
            const before = yield* node.calls
            const answer = yield* asked(child, { ...plan, isPrepared: true } satisfies Ask)
            if (hasFailed(answer)) return yield* Effect.fail(answer.failure)
            const measured = answer as Measured
            sum.operations += measured.micros.length
            sum.cpu += measured.cpuMicros
            sum.bytes += measured.bytes ?? Number.NaN
            sum.calls += (yield* node.calls) - before
            sum.rss = Math.max(sum.rss, measured.rssBytes)
            return measured
          }),
        figures: Effect.sync(() => [
          { name: "CPU", value: sum.cpu / sum.operations, unit: "µs" },
          { name: "RSS", value: sum.rss / 2 ** 20, unit: "MiB" },
          { name: "RPC calls", value: sum.calls / sum.operations, unit: "" },
          { name: "bytes", value: sum.bytes / sum.operations, unit: "" }
        ])
      }
    }),
    { note }
  )
