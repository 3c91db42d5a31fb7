/**
 * The memory monitor of Node.js: `process.memoryUsage`, V8's heap statistics, the container's limit, and collections as
 * `perf_hooks` reports them.
 *
 * @since 0.1.0
 */
import { readFile } from "node:fs/promises"
import { constants, PerformanceObserver } from "node:perf_hooks"
import * as v8 from "node:v8"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { make, MemoryMonitor, MemoryMonitorError } from "../services/MemoryMonitor.js"
import type { Options, Source } from "../services/MemoryMonitor.js"
import type { InvalidInput } from "../src/InvalidInput.js"

/** Linux reports about 2^63 if there is no limit. */
const NO_LIMIT = 2 ** 60

/** The container's limit. Some Node-compatible runtimes lack `process.constrainedMemory`. */
const containerLimit = (): Option.Option<number> =>
  Option.filter(Option.fromNullable(process.constrainedMemory?.()), (bytes) => bytes > 0 && bytes < NO_LIMIT)

/** `VmStk` of Linux: the stack of the main thread. */
const stack: Effect.Effect<Option.Option<number>> = Effect.tryPromise(() =>
  readFile("/proc/self/status", "latin1")
).pipe(
  Effect.map((status) => {
    const kilobytes = Number(/^VmStk:\s*(\d+) kB$/m.exec(status)?.[1])
    return Number.isSafeInteger(kilobytes) ? Option.some(kilobytes * 1024) : Option.none()
  }),
  Effect.orElseSucceed(() => Option.none())
)

const read: Source["read"] = Effect.map(stack, (stackBytes) => {
  const { arrayBuffers, external, heapTotal, heapUsed, rss } = process.memoryUsage()
  return {
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    heapLimitBytes: v8.getHeapStatistics().heap_size_limit,
    externalBytes: external,
    arrayBufferBytes: arrayBuffers,
    stackBytes,
    containerLimitBytes: containerLimit()
  }
})

/** Whether the space is old. Young objects have not survived a major collection yet. */
const isOld = ({ space_name }: v8.HeapSpaceInfo): boolean => !space_name.startsWith("new_")

/** Bytes of the old generation, and of the external memory that it owns. */
const survivedBytes = (): number =>
  v8
    .getHeapSpaceStatistics()
    .filter(isOld)
    .reduce((sum, space) => sum + space.space_used_size, process.memoryUsage().external)

const isMajor = (entry: object): boolean =>
  Predicate.hasProperty(entry, "detail") &&
  Predicate.hasProperty(entry.detail, "kind") &&
  entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR

const onMajor: Source["onMajor"] = (survived) =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const observer = new PerformanceObserver((list) => {
          if (list.getEntries().some((entry) => isMajor(entry))) survived(survivedBytes())
        })
        observer.observe({ entryTypes: ["gc"] })
        return observer
      }),
      (observer) => Effect.sync(() => observer.disconnect())
    )
  )

/** Collects through the inspector, which needs no flag. It is loaded on use, because some builds of Node have none. */
const collect: Source["collect"] = Effect.tryPromise({
  try: async () => {
    const { Session } = await import("node:inspector/promises")
    const session = new Session()
    session.connect()
    try {
      await session.post("HeapProfiler.collectGarbage")
    } finally {
      session.disconnect()
    }
  },
  catch: (cause) => new MemoryMonitorError({ reason: "NotAvailable", cause })
})

const wait: Source["wait"] = (millis) =>
  Effect.async((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    timer.unref()
    return Effect.sync(() => clearTimeout(timer))
  })

/**
 * The monitor of this process. Its timer does not keep the process alive. To register the pools of other layers,
 * provide it to them: `Layer.provideMerge(Pod.layerEmbedded, MemoryMonitorNode.layer())`.
 *
 * Pressure is the larger of two shares: the heap's share of V8's limit, and the resident memory's share of the
 * container's limit.
 *
 * @example
 * ```ts
 * import { MemoryMonitor, MemoryMonitorNode } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const logPressure = Stream.unwrap(Effect.map(MemoryMonitor.MemoryMonitor, ({ pressure }) => pressure)).pipe(
 *   Stream.runForEach((level) => Effect.log(`memory pressure: ${level}`)),
 *   Effect.provide(MemoryMonitorNode.layer({ high: 0.7 }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<MemoryMonitor, InvalidInput> =>
  Layer.scoped(MemoryMonitor, make({ read, onMajor, collect, wait }, options))

/**
 * As {@link layer}, with options from the configuration.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<MemoryMonitor, ConfigError.ConfigError | InvalidInput> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))
