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
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { make, Profiler, ProfilerError } from "../services/Profiler.js"
import type { CpuRecording, HeapRecording, Room } from "../services/Profiler.js"
import * as CallTree from "../src/observe/CallTree.js"
import * as CpuProfile from "../src/observe/CpuProfile.js"
import * as Flamegraph from "../src/observe/Flamegraph.js"
import * as HeapProfile from "../src/observe/HeapProfile.js"
import * as ProfilePage from "../src/observe/ProfilePage.js"
import * as Sources from "./internal/Sources.js"
import * as Inspector from "./profiler/Inspector.js"

/** V8 samples by the monotonic clock, of which `performance` is at an offset. */
const clock = (): (() => number) => {
  const offset = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000
  return () => performance.now() * 1000 + offset
}

/** Where there is no limit, Linux reports about 2^63. */
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
 * How frames are shown.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The folder to which the names of files are relative. Default: the working directory. */
  readonly root?: string | undefined
  /** Whether the URL of a frame is of this package. Default: those below `node_modules/@pod-protocol/effect`. */
  readonly isSdk?: ((url: string) => boolean) | undefined
}

/**
 * The profiler of this process. It costs nothing until something is recorded.
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
 * What {@link write} puts into a folder.
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

/**
 * Writes a report into a folder, which is made if it is missing, and returns the names of the files: `index.html` shows
 * all of it, `flamegraph.svg` is the picture alone, `cpu.cpuprofile` and `heap.heapprofile` open in developer tools,
 * `cpu.folded` in other flamegraph tools; `spans.txt`, `fibers.txt` and `metrics.txt` are texts. Files of these names are
 * replaced.
 *
 * @since 0.1.0
 * @category output
 */
export const write = (directory: string, report: Report): Effect.Effect<ReadonlyArray<string>, ProfilerError> =>
  Effect.gen(function* () {
    const { cpu, fibers, heap, metrics, title } = report
    const files: ReadonlyArray<readonly [name: string, text: string]> = [
      ["cpu.cpuprofile", CpuProfile.toJson(cpu.profile)],
      ["cpu.folded", CallTree.toFolded(cpu.tree)],
      ["flamegraph.svg", Flamegraph.svg(cpu.tree, { title })],
      ["spans.txt", ProfilePage.spansText(cpu)],
      ...(heap === undefined ? [] : [["heap.heapprofile", HeapProfile.toJson(heap.profile)] as const]),
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
      ([name, text]) =>
        Effect.tryPromise({ try: () => Fs.writeFile(Path.join(directory, name), text), catch: cannotWrite(name) }),
      { discard: true }
    )
    return ["index.html", ...names]
  })
