/**
 * Records a workload for some seconds and writes the report: `--seconds`, `--out`, `--interval`, `--no-spans`.
 *
 * The CPU is recorded first. Then the workload runs again, for a quarter of the time, for the heap profile and the metrics:
 * both would show in the CPU profile.
 */
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ProfilerNode from "../../layers/ProfilerNode.js"
import * as EventLoop from "../../services/internal/eventLoop.js"
import * as Metrics from "../../services/Metrics.js"
import * as Profiler from "../../services/Profiler.js"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as ProfilePage from "../../src/observe/ProfilePage.js"

const readArguments = Effect.gen(function* () {
  const { values } = yield* Effect.try({
    try: () =>
      parseArgs({
        options: {
          seconds: { type: "string", default: "10" },
          out: { type: "string" },
          interval: { type: "string", default: "1000" },
          "no-spans": { type: "boolean", default: false }
        }
      }),
    catch: (cause) =>
      new InvalidInput({ field: "arguments", rule: cause instanceof Error ? cause.message : String(cause) })
  })
  return {
    seconds: yield* Check.between("--seconds", Number(values.seconds), 0.1, 600),
    interval: Duration.micros(BigInt(yield* Check.integer("--interval", Number(values.interval), 50, 1_000_000))),
    out: values.out,
    bySpan: !values["no-spans"]
  }
})

/** Repeats a workload until the time is over, and returns how often it ended. Work that never waits lets no timer run. */
const forSeconds = <E, R>(workload: Effect.Effect<unknown, E, R>, seconds: number) =>
  Effect.suspend(() => {
    let rounds = 0
    const round = Effect.zipRight(
      Effect.tap(workload, () => void rounds++),
      EventLoop.next
    )
    return Effect.map(Effect.timeoutOption(Effect.forever(round), Duration.seconds(seconds)), () => rounds)
  })

/** In its own repository, the package is not below `node_modules`. */
const isSdk = (url: string): boolean =>
  !url.includes("/node_modules/") &&
  /^\/(src|services|layers)\//.test(url.slice(pathToFileURL(process.cwd()).href.length))

export interface Workload<R, E, L> {
  readonly name: string
  readonly title: string
  /** One round of the work. */
  readonly round: Effect.Effect<unknown, E, R>
  /** What all rounds share. */
  readonly layer: Layer.Layer<R, L>
}

export const record = <R, E, L>({ layer, name, round, title }: Workload<R, E, L>): void => {
  const main = Effect.gen(function* () {
    const { bySpan, interval, out, seconds } = yield* readArguments
    const directory = path.resolve(out ?? `node_modules/.cache/pod-profile/${name}`)
    const profiler = yield* Profiler.Profiler

    // Code that was compiled already is what an application runs most
    yield* forSeconds(round, Math.min(seconds / 5, 2))
    const [rounds, cpu] = yield* profiler.cpu(forSeconds(round, seconds), { interval, bySpan })
    const [metrics, heap] = yield* profiler.heapSampling(
      forSeconds(round, seconds / 4).pipe(
        Effect.zipRight(Effect.flatMap(Metrics.Metrics, ({ report }) => report("text"))),
        Effect.provide(Metrics.layer())
      ),
      { collected: true }
    )

    const files = yield* ProfilerNode.write(directory, { title, cpu, heap, metrics })
    yield* Console.log(`${rounds} rounds in ${seconds} s\n\n${ProfilePage.spansText(cpu)}`)
    yield* Effect.forEach(files, (file) => Console.log(path.join(directory, file)))
  })

  main.pipe(
    Effect.provide(Layer.merge(layer, ProfilerNode.layer({ isSdk }))),
    Effect.tapError((error) => Console.error(error instanceof Error ? error.message : String(error))),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )
}
