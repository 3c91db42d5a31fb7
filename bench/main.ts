/**
 * Runs benchmarks:
 *
 *     npm run -s bench -- [NAME…] [flags]
 *
 * With one name, only that benchmark is loaded, and it gets the arguments after its name. Several benchmarks run one
 * after another, each in its own process. Without a name, all run, which takes an hour or more. The longest ones are
 * then shortened.
 *
 * `report.ts` has the common flags. `--profile-time S` records the CPU time of the first S seconds and stops;
 * `docs/profiling.md` describes the output.
 */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ProfilerNode from "../layers/ProfilerNode.js"
import * as Profiler from "../services/Profiler.js"
import * as Check from "../src/internal/check.js"
import * as Several from "./several.js"

interface Benchmark {
  readonly load: () => Promise<{ readonly run: (args: ReadonlyArray<string>) => Promise<void> }>
  /** Arguments for a run of all benchmarks, which shorten it. */
  readonly short?: ReadonlyArray<string>
}

const benchmarks: { readonly [name: string]: Benchmark } = {
  buffers: { load: () => import("./buffers.js") },
  cluster: { load: () => import("./cluster.js") },
  followers: { load: () => import("./followers.js") },
  guide: { load: () => import("./guide.js"), short: ["--share", "0.1"] },
  hotpath: { load: () => import("./hotpath.js") },
  memory: { load: () => import("./memory.js") },
  observe: { load: () => import("./observe.js") },
  payloads: { load: () => import("./payloads.js") },
  primitives: { load: () => import("./primitives.js") },
  reading: { load: () => import("./reading.js") },
  reputation: { load: () => import("./reputation.js") },
  scale: { load: () => import("./scale.js") },
  sdks: { load: () => import("./sdks.js"), short: ["--share", "0.02"] },
  soak: { load: () => import("./soak.js"), short: ["--minutes", "1"] },
  startup: { load: () => import("./startup.js") },
  transport: { load: () => import("./transport.js") },
  verdicts: { load: () => import("./verdicts.js"), short: ["--runs", "2"] }
}

const FLAG = "--profile-time"

/** Records the CPU time of this process while the benchmark runs, for at most some seconds, and writes the report. */
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

const runOne = async ({ load }: Benchmark, name: string, args: ReadonlyArray<string>): Promise<void> => {
  const { run } = await load()
  const at = args.indexOf(FLAG)
  if (at === -1) return run(args)
  const others = args.filter((_, index) => index !== at && index !== at + 1)
  await profiled(name, () => run(others), args[at + 1] ?? "")
  // Unfinished work is not awaited
  process.exit()
}

const words = process.argv.slice(2)
const isName = (word: string): boolean => Object.hasOwn(benchmarks, word)
const end = words.findIndex((word) => !isName(word))
const names = end === -1 ? words : words.slice(0, end)
const args = words.slice(names.length)
const [name = "", ...more] = names
const only = more.length === 0 ? benchmarks[name] : undefined

if (only !== undefined) await runOne(only, name, args)
else if (more.length > 0) await Several.run(new Map(names.map((name) => [name, args])), args)
else if (args[0] === undefined || args[0].startsWith("-"))
  await Several.run(
    new Map(Object.entries(benchmarks).map(([name, { short = [] }]) => [name, [...short, ...args]])),
    args
  )
else {
  console.error(
    `usage: npm run -s bench -- [NAME…] [--json] [--html FILE] [--compare] [--assert] [${FLAG} S], where NAME is ${Object.keys(benchmarks).join(", ")}`
  )
  process.exitCode = 1
}
