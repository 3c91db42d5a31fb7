/**
 * The profiler of Node.js: V8's CPU and heap profilers through `node:inspector`, source maps, and files.
 *
 * @since 0.1.0
 */
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { performance } from "node:perf_hooks"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"
import * as Zlib from "node:zlib"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { make, Profiler, ProfilerError } from "../services/Profiler.js"
import type { CpuRecording, HeapRecording, Room } from "../services/Profiler.js"
import * as CallTree from "../src/observe/CallTree.js"
import * as CpuProfile from "../src/observe/CpuProfile.js"
import * as Flamegraph from "../src/observe/Flamegraph.js"
import * as HeapProfile from "../src/observe/HeapProfile.js"
import * as HeapSnapshot from "../src/observe/HeapSnapshot.js"
import * as Pprof from "../src/observe/Pprof.js"
import * as ProfilePage from "../src/observe/ProfilePage.js"
import * as Sources from "./internal/Sources.js"
import * as Inspector from "./profiler/Inspector.js"

/** Microseconds of the monotonic clock, which V8 uses for samples. `performance` has an offset to it. */
const clock = (): (() => number) => {
  const offset = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000
  return () => performance.now() * 1000 + offset
}

/** Linux reports about 2^63 if there is no limit. */
const NO_LIMIT = 2 ** 60

const cannotWrite = (path: string) => (cause: unknown) =>
  new ProfilerError({ reason: "Write", detail: `${Path.basename(path)} cannot be written`, cause })

const room = (path: string): Effect.Effect<Room, ProfilerError> =>
  Effect.tryPromise({
    try: async () => {
      const { bavail, bsize } = await Fs.statfs(Path.dirname(path))
      const { heapUsed, rss } = process.memoryUsage()
      const limit = process.constrainedMemory?.() ?? 0
      const free = limit > 0 && limit < NO_LIMIT ? limit - rss : Infinity
      const system = process.availableMemory?.() ?? Os.freemem()
      return { heapBytes: heapUsed, diskBytes: bavail * bsize, memoryBytes: Math.min(free, system) }
    },
    catch: cannotWrite(path)
  })

/**
 * Options of the profiler.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The folder to which the names of files are relative. Default: the working directory. */
  readonly root?: string | undefined
  /**
   * Whether the URL of a frame is of this package. Default: whether it is below `node_modules/@pod-protocol/effect`.
   */
  readonly isSdk?: ((url: string) => boolean) | undefined
}

/**
 * The profiler of this process. It costs nothing until a recording starts.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = ({ isSdk, root = process.cwd() }: Options = {}): Layer.Layer<Profiler> =>
  Layer.sync(Profiler, () =>
    make({
      now: clock(),
      startCpu: Inspector.startCpu,
      startHeap: Inspector.startHeap,
      locate: Sources.locate,
      shown: { isSdk, root: pathToFileURL(`${root}/`).href },
      room,
      snapshot: Inspector.snapshot
    })
  )

/**
 * The recordings that {@link write} writes into a folder.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  /** The headline of the page. */
  readonly title: string
  readonly cpu: CpuRecording
  readonly heap?: HeapRecording | undefined
  /** The fibers at some moment of the run, as text. */
  readonly fibers?: string | undefined
  /** The metrics of the run, as text. */
  readonly metrics?: string | undefined
}

const gzip = promisify(Zlib.gzip)

const pprof = (tree: CallTree.CallTree, options?: Pprof.Options) =>
  Effect.promise(() => gzip(Pprof.encode(tree, options)))

/**
 * Writes a report into a folder, which it creates if needed, and returns the names of the files. `index.html` shows
 * everything, `flamegraph.svg` only the flamegraph. `cpu.cpuprofile` and `heap.heapprofile` open in developer tools,
 * `cpu.folded` in other flamegraph tools, `cpu.pb.gz` and `heap.pb.gz` in `go tool pprof`. `spans.txt`, `fibers.txt`
 * and `metrics.txt` are texts. Existing files of these names are replaced. Fails with `ProfilerError` `Write` if a file
 * cannot be written.
 *
 * @example
 * ```ts
 * import { Profiler, ProfilerNode } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * export const profiled = <A, E, R>(self: Effect.Effect<A, E, R>) =>
 *   Effect.gen(function* () {
 *     const profiler = yield* Profiler.Profiler
 *     const [result, cpu] = yield* profiler.cpu(self)
 *     yield* ProfilerNode.write("profile", { title: "sending", cpu })
 *     return result
 *   }).pipe(Effect.provide(ProfilerNode.layer()))
 * ```
 *
 * @since 0.1.0
 * @category output
 */
export const write = (directory: string, report: Report): Effect.Effect<ReadonlyArray<string>, ProfilerError> =>
  Effect.gen(function* () {
    const { cpu, fibers, heap, metrics, title } = report
    const files: ReadonlyArray<readonly [name: string, content: string | Uint8Array]> = [
      ["cpu.cpuprofile", CpuProfile.toJson(cpu.profile)],
      ["cpu.folded", CallTree.toFolded(cpu.tree)],
      ["cpu.pb.gz", yield* pprof(cpu.tree, { durationMillis: Duration.toMillis(cpu.duration) })],
      ["flamegraph.svg", Flamegraph.svg(cpu.tree, { title })],
      ["spans.txt", ProfilePage.spansText(cpu)],
      ...(heap === undefined
        ? []
        : [
            ["heap.heapprofile", HeapProfile.toJson(heap.profile)] as const,
            ["heap.pb.gz", yield* pprof(heap.tree)] as const
          ]),
      ...(fibers === undefined ? [] : [["fibers.txt", fibers] as const]),
      ...(metrics === undefined ? [] : [["metrics.txt", metrics] as const])
    ]
    const names = files.map(([name]) => name)
    const page: readonly [string, string] = ["index.html", ProfilePage.html({ ...report, files: names })]
    yield* Effect.tryPromise({
      try: () => Fs.mkdir(directory, { recursive: true }),
      catch: cannotWrite(directory)
    })
    yield* Effect.forEach(
      [...files, page],
      ([name, content]) =>
        Effect.tryPromise({ try: () => Fs.writeFile(Path.join(directory, name), content), catch: cannotWrite(name) }),
      { discard: true }
    )
    return ["index.html", ...names]
  })

const cannotRead = (path: string) => (cause: unknown) =>
  new ProfilerError({ reason: "Malformed", detail: `${Path.basename(path)} cannot be read`, cause })

const readSnapshot = (path: string): Effect.Effect<HeapSnapshot.HeapSnapshot, ProfilerError> =>
  Effect.tryPromise({ try: () => Fs.readFile(path, "utf8"), catch: cannotRead(path) }).pipe(
    Effect.flatMap((json) => Effect.mapError(HeapSnapshot.parse(json), cannotRead(path)))
  )

/**
 * The growth of each class between two files of `Profiler.heapSnapshot`, the largest change first. `Malformed` if a
 * file is not a complete snapshot. It needs a few times the size of a file in memory, and blocks the event loop while
 * it parses.
 *
 * @since 0.1.0
 * @category getters
 */
export const compareSnapshots = (
  before: string,
  after: string
): Effect.Effect<ReadonlyArray<HeapSnapshot.Growth>, ProfilerError> =>
  Effect.zipWith(readSnapshot(before), readSnapshot(after), HeapSnapshot.compare)
