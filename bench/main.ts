/**
 * Runs benchmarks: `npm run -s bench -- NAME [flags]`. Only this benchmark is loaded. It gets the arguments after its name.
 *
 * Flags that benchmarks share are in `report.ts`. `--profile-time S` records where the CPU time of the first S seconds goes,
 * and stops: see `docs/profiling.md` for what it writes.
 */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ProfilerNode from "../layers/ProfilerNode.js"
import * as Profiler from "../services/Profiler.js"
import * as Check from "../src/internal/check.js"

interface Benchmark {
  readonly run: (args: ReadonlyArray<string>) => Promise<void>
}

const benchmarks: { readonly [name: string]: () => Promise<Benchmark> } = {
  buffers: () => import("./buffers.js"),
  cluster: () => import("./cluster.js"),
  followers: () => import("./followers.js"),
  hotpath: () => import("./hotpath.js"),
  memory: () => import("./memory.js"),
  observe: () => import("./observe.js"),
  payloads: () => import("./payloads.js"),
  reading: () => import("./reading.js"),
  reputation: () => import("./reputation.js"),
  scale: () => import("./scale.js"),
  sdks: () => import("./sdks.js"),
  soak: () => import("./soak.js"),
  startup: () => import("./startup.js"),
  transport: () => import("./transport.js"),
  verdicts: () => import("./verdicts.js")
}

const FLAG = "--profile-time"

/** Records the CPU time of this process while the benchmark runs, for some seconds at most, and writes the report. */
const profiled = (name: string, run: () => Promise<void>, text: string) =>
  Effect.gen(function* () {
    const seconds = yield* Check.between(FLAG, Number(text), 0.1, 600)
    const profiler = yield* Profiler.Profiler
    const running = Effect.raceFirst(Effect.promise(run), Effect.sleep(Duration.seconds(seconds)))
    const [, cpu] = yield* profiler.cpu(running, { bySpan: false })
    const directory = path.resolve("node_modules/.cache/pod-profile", `bench-${name}`)
    for (const file of yield* ProfilerNode.write(directory, { title: `bench -- ${name}`, cpu }))
      yield* Console.error(path.join(directory, file))
  }).pipe(Effect.provide(ProfilerNode.layer()), Effect.runPromise)

const [name = "", ...args] = process.argv.slice(2)
const load = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
if (load === undefined) {
  console.error(
    `usage: npm run -s bench -- NAME [--json] [--html FILE] [--compare] [--assert] [${FLAG} S], where NAME is ${Object.keys(benchmarks).join(", ")}`
  )
  process.exitCode = 1
} else {
  const { run } = await load()
  const at = args.indexOf(FLAG)
  if (at === -1) await run(args)
  else {
    const others = args.filter((_, index) => index !== at && index !== at + 1)
    await profiled(name, () => run(others), args[at + 1] ?? "")
    // What was not finished is not waited for
    process.exit()
  }
}
