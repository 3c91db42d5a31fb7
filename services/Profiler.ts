/**
 * Measures CPU time and memory by function, and CPU time by Effect span.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as CallTree from "../src/observe/CallTree.js"
import * as CpuProfile from "../src/observe/CpuProfile.js"
import * as HeapProfile from "../src/observe/HeapProfile.js"
import * as SafeText from "../src/SafeText.js"
import * as TestLayer from "./internal/testLayer.js"
import * as SpanRecorder from "./profiler/SpanRecorder.js"

/**
 * A recording failed.
 *
 * - `AlreadyRunning`: a profile of the same kind is being recorded.
 * - `NotAvailable`: the platform cannot record, or the recording has ended.
 * - `NoRoom`: a heap snapshot needs more free disk space or memory.
 * - `Write`: a file cannot be written. It may exist already.
 * - `Malformed`: the recorded profile cannot be decoded.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProfilerError extends printable(
  Schema.TaggedError<ProfilerError>("@pod-protocol/effect/ProfilerError")("ProfilerError", {
    reason: Schema.Literal("AlreadyRunning", "NotAvailable", "NoRoom", "Write", "Malformed"),
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `AlreadyRunning` and `NoRoom`. */
  get isRetryable(): boolean {
    return this.reason === "AlreadyRunning" || this.reason === "NoRoom"
  }

  override get message(): string {
    return `${this.detail}: ${ADVICE[this.reason]}`
  }
}

const ADVICE: Readonly<Record<ProfilerError["reason"], string>> = {
  AlreadyRunning: "wait until the other profile has ended",
  NotAvailable: "run on a Node.js with an inspector",
  NoRoom: "free disk space or memory, or use heapSampling",
  Write: "name a new file in a folder that can be written",
  Malformed: "record it again"
}

/**
 * A CPU profile with its tree and its costs by span.
 *
 * @since 0.1.0
 * @category models
 */
export interface CpuRecording {
  /** The profile. Its frames name source files if source maps are available. */
  readonly profile: CpuProfile.CpuProfile
  /** Microseconds by stack, below the spans. */
  readonly tree: CallTree.CallTree
  /** Microseconds by span, the most expensive first. Empty if `bySpan` is false. */
  readonly bySpan: ReadonlyArray<CallTree.SpanCost>
  readonly duration: Duration.Duration
  /** Number of dropped changes of span. Above 0, later samples may be attributed to the wrong span. */
  readonly droppedChanges: number
}

/**
 * A sampled heap profile with its tree.
 *
 * @since 0.1.0
 * @category models
 */
export interface HeapRecording {
  readonly profile: HeapProfile.HeapProfile
  /** Bytes by stack. */
  readonly tree: CallTree.CallTree
}

/**
 * A heap snapshot that was written.
 *
 * @since 0.1.0
 * @category models
 */
export interface SnapshotInfo {
  readonly path: string
  readonly bytes: number
  /** The process stood still for this long. */
  readonly duration: Duration.Duration
}

/**
 * Options of a CPU recording.
 *
 * @since 0.1.0
 * @category models
 */
export interface CpuOptions {
  /**
   * Time between samples, from 50 microseconds to 1 second. Default 1 millisecond. Too low: sampling itself takes CPU
   * time. Too high: the profile misses short work.
   */
  readonly interval?: Duration.DurationInput | undefined
  /**
   * Whether time is attributed to spans. Default true. It provides a tracer to the profiled effect, so the SDK makes
   * spans. The spans of a message cost about half as much as building and signing it.
   */
  readonly bySpan?: boolean | undefined
}

/**
 * Options of a heap recording.
 *
 * @since 0.1.0
 * @category models
 */
export interface HeapOptions {
  /**
   * Average bytes between samples, from 128 bytes to 1 GiB. Default 32 KiB. Too low: allocation becomes slow. Too high:
   * the profile misses small objects.
   */
  readonly intervalBytes?: number | undefined
  /**
   * Whether memory that was collected during the recording counts too. Default false: only memory that is still held at
   * the end counts.
   */
  readonly collected?: boolean | undefined
}

/**
 * The operations of the profiler.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Runs an effect and records the CPU time of the whole thread meanwhile. */
  readonly cpu: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: CpuOptions
  ) => Effect.Effect<readonly [A, CpuRecording], E | InvalidInput | ProfilerError, R>
  /**
   * Starts a recording. The inner effect ends it and returns the result; otherwise the close of the Scope drops it.
   * Time is attributed to spans of this fiber, and of fibers that it starts meanwhile.
   */
  readonly cpuScoped: (
    options?: CpuOptions
  ) => Effect.Effect<Effect.Effect<CpuRecording, ProfilerError>, InvalidInput | ProfilerError, Scope.Scope>
  /** Runs an effect and records the memory that is still held at its end, by allocating function. */
  readonly heapSampling: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: HeapOptions
  ) => Effect.Effect<readonly [A, HeapRecording], E | InvalidInput | ProfilerError, R>
  /**
   * Writes all objects of the heap to a new file, for Chrome's developer tools. The process stands still meanwhile: for
   * a large heap, some seconds. The file holds all secrets of the process, so only its owner may read it (mode 0600).
   * `NoRoom` unless twice the heap's size is free on the disk and in memory.
   */
  readonly heapSnapshot: (path: string) => Effect.Effect<SnapshotInfo, ProfilerError>
}

/**
 * The profiler of the process.
 *
 * @example
 * ```ts
 * import * as Profiler from "@pod-protocol/effect/services/Profiler"
 * import * as Flamegraph from "@pod-protocol/effect/observe/Flamegraph"
 * import * as Effect from "effect/Effect"
 *
 * export const flamegraphOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
 *   Effect.gen(function* () {
 *     const profiler = yield* Profiler.Profiler
 *     const [result, { tree }] = yield* profiler.cpu(self)
 *     return [result, Flamegraph.svg(tree)] as const
 *   })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Profiler extends Context.Tag("@pod-protocol/effect/Profiler")<Profiler, Service>() {}

/**
 * The heap's size, and the free space for a snapshot.
 *
 * @since 0.1.0
 * @category models
 */
export interface Room {
  readonly heapBytes: number
  readonly diskBytes: number
  readonly memoryBytes: number
}

/**
 * The recorder of a platform.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  /** Microseconds of the clock of CPU profiles. Called at each change of span. */
  readonly now: () => number
  /** Starts sampling. The inner effect stops it and returns the profile as V8 writes it. */
  readonly startCpu: (intervalMicros: number) => Effect.Effect<Effect.Effect<unknown, ProfilerError>, ProfilerError>
  /** Starts sampling. The inner effect stops it and returns the profile as V8 writes it. */
  readonly startHeap: (
    options: Required<{ readonly [K in keyof HeapOptions]: NonNullable<HeapOptions[K]> }>
  ) => Effect.Effect<Effect.Effect<unknown, ProfilerError>, ProfilerError>
  /** Returns a function that maps frames to their source files. `urls` has the URLs of all frames. */
  readonly locate: (urls: ReadonlySet<string>) => Effect.Effect<(frame: CpuProfile.Frame) => CpuProfile.Frame>
  /** Options of the call trees: the frames of this package, and the folder to which file names are relative. */
  readonly shown: Pick<CallTree.Options, "isSdk" | "root">
  readonly room: (path: string) => Effect.Effect<Room, ProfilerError>
  /** Writes a snapshot to a new file and returns its size in bytes. An incomplete file is removed. */
  readonly snapshot: (path: string) => Effect.Effect<number, ProfilerError>
}

/**
 * Factor of the heap's size: a snapshot is at most about as large as the heap, and V8 needs as much again to make it.
 */
const ROOM_OF_HEAP = 2

const unreadable = (cause: CpuProfile.MalformedProfile): ProfilerError =>
  new ProfilerError({ reason: "Malformed", detail: "The recorded profile cannot be read", cause })

const MEBIBYTE = 1024 * 1024

/**
 * A profiler over a platform's source. It records at most one CPU profile and one heap profile at a time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (source: Source): Service => {
  const running = { CPU: false, heap: false }

  /** Allows one recording of a kind until its `stop` runs. */
  const exclusively = (
    kind: keyof typeof running,
    start: Effect.Effect<Effect.Effect<unknown, ProfilerError>, ProfilerError>
  ): Effect.Effect<Effect.Effect<unknown, ProfilerError>, ProfilerError> =>
    Effect.suspend(() => {
      if (running[kind])
        return Effect.fail(
          new ProfilerError({ reason: "AlreadyRunning", detail: `A ${kind} profile is being recorded` })
        )
      running[kind] = true
      const end = Effect.sync(() => void (running[kind] = false))
      return start.pipe(
        Effect.map((stop) => Effect.ensuring(stop, end)),
        Effect.onError(() => end)
      )
    })

  const mapped = <P extends { readonly nodes: ReadonlyArray<{ readonly frame: CpuProfile.Frame }> }>(
    decoded: Either.Either<P, CpuProfile.MalformedProfile>,
    mapFrames: (profile: P, f: (frame: CpuProfile.Frame) => CpuProfile.Frame) => P
  ): Effect.Effect<P, ProfilerError> =>
    Effect.gen(function* () {
      const profile = yield* Either.mapLeft(decoded, unreadable)
      const locate = yield* source.locate(new Set(profile.nodes.map(({ frame }) => frame.url)))
      return mapFrames(profile, locate)
    })

  const startCpu = Effect.fnUntraced(function* ({ bySpan = true, interval = "1 millis" }: CpuOptions) {
    const millis = yield* Check.millisBetween("interval", interval, 0.05, 1000)
    const recorder = SpanRecorder.make(source.now)
    const stop = yield* exclusively("CPU", source.startCpu(Math.round(millis * 1000)))
    const end = Effect.gen(function* () {
      const raw = yield* stop
      const profile = yield* mapped(CpuProfile.decode(raw), CpuProfile.mapFrames)
      const spans = bySpan ? recorder.timeline : undefined
      const tree = CallTree.fromCpu(profile, { ...source.shown, spans })
      return {
        profile,
        tree,
        bySpan: CallTree.bySpan(tree),
        duration: Duration.micros(BigInt(Math.round(profile.endMicros - profile.startMicros))),
        droppedChanges: recorder.timeline.dropped
      }
    })
    return { recorder: bySpan ? recorder : undefined, end, drop: Effect.ignore(stop) }
  })

  return {
    cpu: (self, options = {}) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const { drop, end, recorder } = yield* startCpu(options)
          const followed = recorder === undefined ? self : recorder.follow(self)
          const result = yield* Effect.onError(restore(followed), () => drop)
          return [result, yield* end] as const
        })
      ),
    cpuScoped: (options = {}) =>
      Effect.uninterruptible(
        Effect.gen(function* () {
          const { drop, end, recorder } = yield* startCpu(options)
          let isOver = false
          const once = <A, E>(effect: Effect.Effect<A, E>, otherwise: Effect.Effect<A, E>) =>
            Effect.suspend(() => {
              if (isOver) return otherwise
              isOver = true
              return effect
            })
          yield* Effect.addFinalizer(() => once(drop, Effect.void))
          if (recorder !== undefined) {
            yield* Effect.locallyScopedWith(DefaultServices.currentServices, recorder.services)
            yield* Effect.locallyScopedWith(FiberRef.currentSupervisor, recorder.supervisor)
          }
          return once(
            end,
            Effect.fail(new ProfilerError({ reason: "NotAvailable", detail: "The recording has ended already" }))
          )
        })
      ),
    heapSampling: (self, options = {}) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const { collected = false, intervalBytes = 32 * 1024 } = options
          yield* Check.integer("intervalBytes", intervalBytes, 128, 1024 ** 3)
          const stop = yield* exclusively("heap", source.startHeap({ collected, intervalBytes }))
          const result = yield* Effect.onError(restore(self), () => Effect.ignore(stop))
          const profile = yield* mapped(HeapProfile.decode(yield* stop), HeapProfile.mapFrames)
          return [result, { profile, tree: CallTree.fromHeap(profile, source.shown) }] as const
        })
      ),
    heapSnapshot: (path) =>
      Effect.gen(function* () {
        const { diskBytes, heapBytes, memoryBytes } = yield* source.room(path)
        const needed = heapBytes * ROOM_OF_HEAP
        const lacking = diskBytes < needed ? "on the disk" : memoryBytes < needed ? "in memory" : undefined
        if (lacking !== undefined) {
          const detail = `A snapshot needs ${Math.ceil(needed / MEBIBYTE)} MiB ${lacking}`
          return yield* new ProfilerError({ reason: "NoRoom", detail })
        }
        const [duration, bytes] = yield* Effect.timed(source.snapshot(path))
        return { path, bytes, duration }
      })
  }
}

/**
 * How the own cost of each function changed between two recordings of one kind, the largest change first.
 *
 * @since 0.1.0
 * @category getters
 */
export const compare = (
  before: Pick<CpuRecording | HeapRecording, "tree">,
  after: Pick<CpuRecording | HeapRecording, "tree">
): ReadonlyArray<CallTree.Change> => CallTree.compare(before.tree, after.tree)

const noCpu: CpuRecording = {
  profile: {
    startMicros: 0,
    endMicros: 0,
    nodes: [{ frame: { name: "(root)", url: "", line: 0, column: 0 }, parent: -1 }],
    samples: new Uint32Array(),
    times: new Float64Array()
  },
  tree: {
    unit: "microseconds",
    idle: 0,
    root: { name: "all", location: "", owner: "span", self: 0, total: 0, children: [] }
  },
  bySpan: [],
  duration: Duration.zero,
  droppedChanges: 0
}

const noHeap: HeapRecording = { profile: { nodes: [] }, tree: { ...noCpu.tree, unit: "bytes" } }

/**
 * A profiler that records nothing: effects run unchanged, and recordings are empty. `heapSnapshot` fails with
 * `NotAvailable`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNoop: Layer.Layer<Profiler> = /* @__PURE__ */ Layer.succeed(Profiler, {
  cpu: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.map(self, (result) => [result, noCpu] as const),
  cpuScoped: () => Effect.succeed(Effect.succeed(noCpu)),
  heapSampling: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.map(self, (result) => [result, noHeap] as const),
  heapSnapshot: () => Effect.fail(new ProfilerError({ reason: "NotAvailable", detail: "No profiler is provided" }))
})

/**
 * A test layer from stubs: a call to a missing member dies with the member's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Profiler> => TestLayer.layer(Profiler, stubs)
