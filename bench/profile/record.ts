/**
 * Records a workload for some seconds and writes the report: `--seconds`, `--out`, `--interval`, `--no-spans`. With `--live`
 * it shows the workload's fibers instead.
 *
 * The fibers are dumped while the code warms up. Then the CPU is recorded. After that, the workload runs for a quarter
 * of the time for the heap profile and the metrics, because both would distort the CPU profile.
 */
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { endWithReader } from "../../examples/demo/signals.js"
import * as FiberConsoleNode from "../../layers/FiberConsoleNode.js"
import * as ProfilerNode from "../../layers/ProfilerNode.js"
import * as FiberConsole from "../../services/FiberConsole.js"
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
          "no-spans": { type: "boolean", default: false },
          live: { type: "boolean", default: false }
        }
      }),
    catch: (cause) =>
      new InvalidInput({ field: "arguments", rule: cause instanceof Error ? cause.message : String(cause) })
  })
  return {
    seconds: yield* Check.between("--seconds", Number(values.seconds), 0.1, 600),
    interval: Duration.micros(BigInt(yield* Check.integer("--interval", Number(values.interval), 50, 1_000_000))),
    out: values.out,
    bySpan: !values["no-spans"],
    isLive: values.live
  }
})

/**
 * Repeats a workload until the time is over, and returns the number of repetitions. Work that never waits blocks all
 * timers.
 */
const forSeconds = <E, R>(workload: Effect.Effect<unknown, E, R>, seconds: number) =>
  Effect.suspend(() => {
    let rounds = 0
    const round = Effect.zipRight(
      Effect.tap(workload, () => void rounds++),
      EventLoop.next
    )
    return Effect.map(Effect.timeoutOption(Effect.forever(round), Duration.seconds(seconds)), () => rounds)
  })

/** Whether the URL belongs to the SDK. In its own repository, the package is not below `node_modules`. */
const isSdk = (url: string): boolean =>
  !url.includes("/node_modules/") &&
  /^\/(src|services|layers)\//.test(url.slice(pathToFileURL(process.cwd()).href.length))

/** Makes the SDK create its spans, which name the fibers. It does so only for a tracer other than Effect's own. */
const named = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tracerWith((native) =>
    Effect.withTracer(
      self,
      Tracer.make({ span: (...span) => native.span(...span), context: (f, fiber) => native.context(f, fiber) })
    )
  )

const dump = Effect.flatMap(FiberConsole.FiberConsole, ({ dump }) =>
  Effect.map(dump({ places: 50 }), (all) => FiberConsole.render(all))
)

const report = Effect.flatMap(Metrics.Metrics, ({ report }) => report("text"))

export interface Workload<R, E, L> {
  readonly name: string
  readonly title: string
  /** One round of the work. */
  readonly round: Effect.Effect<unknown, E, R>
  /** The common layer of all rounds. */
  readonly layer: Layer.Layer<R, L>
}

export const record = <R, E, L>({ layer, name, round, title }: Workload<R, E, L>): void => {
  const main = Effect.gen(function* () {
    const { bySpan, interval, isLive, out, seconds } = yield* readArguments
    if (isLive) {
      const shown = Effect.raceFirst(named(forSeconds(round, seconds)), FiberConsoleNode.live({ period: "250 millis" }))
      return yield* Effect.asVoid(Effect.provide(shown, FiberConsoleNode.layer))
    }
    const directory = path.resolve(out ?? `node_modules/.cache/pod-profile/${name}`)
    const profiler = yield* Profiler.Profiler

    // An application mostly runs code that is already compiled
    const warmUp = Math.min(seconds / 5, 2)
    const [, fibers] = yield* Effect.all(
      [named(forSeconds(round, warmUp)), Effect.delay(dump, Duration.seconds(warmUp / 2))],
      { concurrency: 2 }
    ).pipe(Effect.provide(FiberConsoleNode.layer))
    const [rounds, cpu] = yield* profiler.cpu(forSeconds(round, seconds), { interval, bySpan })
    const [metrics, heap] = yield* profiler.heapSampling(
      forSeconds(round, seconds / 4).pipe(Effect.zipRight(report), Effect.provide(Metrics.layer())),
      { collected: true }
    )

    const files = yield* ProfilerNode.write(directory, { title, cpu, heap, metrics, fibers })
    yield* Console.log(`${rounds} rounds in ${seconds} s\n\n${ProfilePage.spansText(cpu)}`)
    yield* Effect.forEach(files, (file) => Console.log(path.join(directory, file)))
  })

  endWithReader()
  main.pipe(
    Effect.provide(Layer.merge(layer, ProfilerNode.layer({ isSdk }))),
    Effect.tapError((error) => Console.error(error instanceof Error ? error.message : String(error))),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )
}
