/**
 * Holds what one signal exports until the collector has it.
 *
 * Invariants:
 * - made = sent + dropped + waiting, at each moment. What is in flight counts as waiting.
 * - At most `maxBytes` wait. What comes beyond is dropped.
 * - One request is in flight, so a collector that hangs costs one connection.
 * - A request that may succeed later is made again, for as long as the outbox is open: nothing is lost in an outage that
 *   fits into the queue. A reply that was lost is asked for again, so a collector may see a batch twice.
 * - An empty outbox has no timer.
 *
 * Closing: the wait between two attempts ends at once, and what waits is sent within `shutdownTimeout` of real time. The
 * rest is dropped. An attempt that hangs is aborted then. What is offered later is dropped.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Backoff from "../../services/internal/backoff.js"
import * as MetricOf from "../../services/internal/metricOf.js"
import * as TimeLimit from "../../services/internal/timeLimit.js"
import * as MetricTable from "../../src/observe/MetricTable.js"
import type { Signal } from "./Model.js"
import type { SignalStats } from "./Options.js"

/** What became of a request. */
export type Verdict =
  /** The collector took the batch, but for these items. */
  | { readonly _tag: "Taken"; readonly rejected: number }
  /** It may take it later, after so many milliseconds if it said when. */
  | { readonly _tag: "Later"; readonly detail: string; readonly millis?: number | undefined }
  /** The batch is too large for it. */
  | { readonly _tag: "TooLarge" }
  /** It will never take it. */
  | { readonly _tag: "Refused"; readonly detail: string }

type Reason = "full" | "refused" | "rejected" | "shutdown" | "superseded"

export interface Settings {
  readonly maxBytes: number
  readonly maxBatch: number
  /** Milliseconds in which a batch gathers. */
  readonly interval: number
  /** Milliseconds. */
  readonly shutdownTimeout: number
}

export interface Outbox {
  readonly offer: (item: Uint8Array) => void
  /** Drops what waits and is not in flight, and offers these. */
  readonly replace: (items: ReadonlyArray<Uint8Array>) => void
  /** Sends what waits now. Ends when nothing waits. */
  readonly flush: Effect.Effect<void>
  /** Sends what waits, within `shutdownTimeout`. Once. */
  readonly close: Effect.Effect<void>
  readonly stats: () => SignalStats
}

/** A body of 1 MiB is far below what collectors accept: 20 MiB by default. */
const MAX_BATCH_BYTES = 1024 * 1024

const BACKOFF_BASE = 1000
const BACKOFF_CAP = 30_000
/** While the outbox closes. */
const LAST_BACKOFF = 200

/** No collector may keep what waits for longer than this, whatever its `Retry-After` says. */
const MAX_RETRY_AFTER = 60_000

const BROKEN: Verdict = { _tag: "Refused", detail: "the request cannot be made: check the HttpClient" }

export const make = (
  signal: Signal,
  host: string,
  send: (items: ReadonlyArray<Uint8Array>) => Effect.Effect<Verdict>,
  settings: Settings
): Effect.Effect<Outbox> =>
  Effect.gen(function* () {
    const queue: Array<Uint8Array> = []
    let waitingBytes = 0
    let inFlight = 0
    let made = 0
    let sent = 0
    let dropped = 0
    let maxBatch = settings.maxBatch
    let maxBatchBytes = MAX_BATCH_BYTES
    let phase: "open" | "closing" | "closed" = "open"

    /** Open while something waits. */
    const some = Effect.unsafeMakeLatch(false)
    /** Open when a batch is full, or somebody wants it now. */
    const full = Effect.unsafeMakeLatch(false)
    /** Open while nothing waits. */
    const none = Effect.unsafeMakeLatch(true)
    const closing = Effect.unsafeMakeLatch(false)

    const sentMetric = MetricOf.counter(MetricTable.telemetrySent, { signal })
    const droppedMetric = (reason: Reason) => MetricOf.counter(MetricTable.telemetryDropped, { signal, reason })
    const droppedMetrics = {
      full: droppedMetric("full"),
      refused: droppedMetric("refused"),
      rejected: droppedMetric("rejected"),
      shutdown: droppedMetric("shutdown"),
      superseded: droppedMetric("superseded")
    }
    const drop = (reason: Reason, count: number): void => {
      if (count === 0) return
      dropped += count
      droppedMetrics[reason].unsafeUpdate(count, [])
    }

    const remove = (from: number, count: number): void => {
      for (const { length } of queue.splice(from, count)) waitingBytes -= length
      if (queue.length > 0) return
      some.unsafeClose()
      full.unsafeClose()
      none.unsafeOpen()
    }

    const offer = (item: Uint8Array): void => {
      made++
      if (phase === "closed") return drop("shutdown", 1)
      if (waitingBytes + item.length > settings.maxBytes) return drop("full", 1)
      queue.push(item)
      waitingBytes += item.length
      none.unsafeClose()
      some.unsafeOpen()
      if (queue.length - inFlight >= maxBatch || waitingBytes >= maxBatchBytes) full.unsafeOpen()
    }

    /** How many of the first items fit into a request: at least one. */
    const batchSize = (): number => {
      let bytes = 0
      let size = 0
      for (const { length } of queue) {
        if (size > 0 && (size === maxBatch || bytes + length > maxBatchBytes)) break
        bytes += length
        size++
      }
      return size
    }

    const settle = (size: number, verdict: Exclude<Verdict, { readonly _tag: "Later" }>): Effect.Effect<void> => {
      switch (verdict._tag) {
        case "Taken": {
          const rejected = Math.min(verdict.rejected, size)
          sent += size - rejected
          sentMetric.unsafeUpdate(size - rejected, [])
          drop("rejected", rejected)
          remove(0, size)
          return rejected === 0 ? Effect.void : warn(`rejected ${rejected} of ${size}`)
        }
        case "TooLarge":
          if (size > 1) {
            maxBatch = Math.ceil(size / 2)
            maxBatchBytes = Math.ceil(maxBatchBytes / 2)
            return Effect.void
          }
          drop("refused", 1)
          remove(0, 1)
          return warn("refused one, which is too large for it")
        case "Refused":
          drop("refused", size)
          remove(0, size)
          return warn(`refused ${size}: ${verdict.detail}`)
      }
    }

    const warn = (what: string): Effect.Effect<void> =>
      Effect.logWarning(`The collector at ${host} ${what}`).pipe(Effect.annotateLogs({ signal }))

    /** Waits before the next attempt; until the outbox closes at most. */
    const pause = (failures: number, asked = 0) =>
      Effect.gen(function* () {
        if (phase !== "open") return yield* Effect.sleep(asked > 0 ? asked : LAST_BACKOFF)
        const millis = yield* Backoff.fullJitter(BACKOFF_BASE, BACKOFF_CAP, failures)
        yield* TimeLimit.orElse(Math.max(millis, Math.min(asked, MAX_RETRY_AFTER)), constVoid)(closing.await)
      })

    const drain = Effect.gen(function* () {
      let failures = 0
      while (queue.length > 0) {
        const size = batchSize()
        inFlight = size
        const verdict = yield* send(queue.slice(0, size)).pipe(
          Effect.catchAllDefect((): Effect.Effect<Verdict> => Effect.succeed(BROKEN)),
          Effect.ensuring(Effect.sync(() => (inFlight = 0)))
        )
        if (verdict._tag === "Later") {
          if (failures === 0) yield* warn(`does not take what is sent, so it waits: ${verdict.detail}`)
          yield* pause(failures++, verdict.millis)
        } else {
          if (failures > 0 && verdict._tag === "Taken") {
            yield* Effect.logInfo(`The collector at ${host} takes what is sent again`).pipe(
              Effect.annotateLogs({ signal })
            )
          }
          failures = 0
          yield* settle(size, verdict)
        }
      }
    })

    const run = Effect.repeat(
      Effect.gen(function* () {
        yield* some.await
        yield* TimeLimit.orElse(settings.interval, constVoid)(full.await)
        yield* drain
      }),
      { while: () => phase === "open" || queue.length > 0 }
    )

    const fiber = yield* Effect.forkDaemon(Effect.interruptible(run))

    const close = Effect.gen(function* () {
      phase = "closing"
      for (const latch of [closing, some, full]) latch.unsafeOpen()
      yield* Fiber.await(fiber).pipe(
        Effect.interruptible,
        TimeLimit.orElse(settings.shutdownTimeout, constVoid),
        // A test that has stopped the clock must not wait for ever.
        Effect.withClock(Clock.make())
      )
      phase = "closed"
      yield* Fiber.interruptFork(fiber)
      const lost = queue.length
      drop("shutdown", lost)
      remove(0, lost)
      if (lost > 0) yield* warn(`did not take ${lost} before the end`)
    })

    return {
      offer,
      replace: (items) => {
        const old = queue.length - inFlight
        drop("superseded", old)
        remove(inFlight, old)
        items.forEach(offer)
      },
      flush: Effect.suspend(() => {
        if (queue.length === 0) return Effect.void
        full.unsafeOpen()
        return none.await
      }),
      close,
      stats: () => ({ made, sent, dropped, waiting: queue.length, waitingBytes })
    }
  })
