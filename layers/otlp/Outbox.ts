/**
 * Holds the encoded items of one signal until the collector has accepted them.
 *
 * Invariants:
 * - made = sent + dropped + waiting, at each moment. Items in flight count as waiting.
 * - At most `maxBytes` wait. Further items are dropped.
 * - At most one request is in flight, so a hanging collector holds one connection.
 * - A request that may succeed later is repeated as long as the outbox is open: an outage loses nothing that fits into
 *   the queue. A request whose reply was lost is repeated, so a collector may see a batch twice.
 * - An empty outbox has no timer.
 *
 * Closing: the wait between two attempts ends at once, and waiting items are sent within `shutdownTimeout` of real
 * time. After that, a hanging attempt is aborted, and the remaining and later items are dropped.
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

/** The result of a request. */
export type Verdict =
  /** The collector accepted the batch, except for `rejected` items. */
  | { readonly _tag: "Taken"; readonly rejected: number }
  /** The collector may accept the batch later: after `millis`, if it gave a time. */
  | { readonly _tag: "Later"; readonly detail: string; readonly millis?: number | undefined }
  /** The batch is too large for the collector. */
  | { readonly _tag: "TooLarge" }
  /** The collector will never accept the batch. */
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
  /** Drops the waiting items that are not in flight, and offers the new ones. */
  readonly replace: (items: ReadonlyArray<Uint8Array>) => void
  /** Sends the waiting items at once. Ends when no item waits. */
  readonly flush: Effect.Effect<void>
  /** Sends the waiting items within `shutdownTimeout`. Call it once. */
  readonly close: Effect.Effect<void>
  readonly stats: () => SignalStats
}

/** Maximum bytes of a batch. Collectors accept 20 MiB by default. */
const MAX_BATCH_BYTES = 1024 * 1024

const BACKOFF_BASE = 1000
const BACKOFF_CAP = 30_000
/** The backoff while the outbox closes. */
const LAST_BACKOFF = 200

/** Maximum wait that a collector's `Retry-After` can demand. */
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

    /** Open while an item waits. */
    const some = Effect.unsafeMakeLatch(false)
    /** Open when a batch is full, or when a flush wants it now. */
    const full = Effect.unsafeMakeLatch(false)
    /** Open while no item waits. */
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

    /** Number of items that fit into the next request: at least one. */
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
          // The item was too large, and not the batches before it.
          maxBatch = settings.maxBatch
          maxBatchBytes = MAX_BATCH_BYTES
          drop("refused", 1)
          remove(0, 1)
          return warn("refused one item, which is too large for it")
        case "Refused":
          drop("refused", size)
          remove(0, size)
          return warn(`refused ${size}: ${verdict.detail}`)
      }
    }

    const warn = (what: string): Effect.Effect<void> =>
      Effect.logWarning(`The collector at ${host} ${what}`).pipe(Effect.annotateLogs({ signal }))

    /** Waits before the next attempt. The wait ends when the outbox closes. */
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
          if (failures === 0) yield* warn(`does not accept requests, so items wait: ${verdict.detail}`)
          yield* pause(failures++, verdict.millis)
        } else {
          if (failures > 0 && verdict._tag === "Taken") {
            yield* Effect.logInfo(`The collector at ${host} accepts requests again`).pipe(
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
        // Real time, so that a test with a stopped clock does not wait forever.
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
