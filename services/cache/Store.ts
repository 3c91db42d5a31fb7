/**
 * The second level as the first one uses it: it never fails, never waits for a write, and its rows are verified.
 *
 * - Rows are queued and written in batches by one fiber. The queue is bounded in rows and bytes. Reads search it first.
 * - A failure suspends reads or writes for a time that doubles from 1 second to 1 minute. Each failure is counted, and
 *   the first one is logged, until the store works again.
 * - A lost write leaves an older row in the store. So rows below the highest lost version are no longer returned.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { CacheError, Row, Service } from "../CacheStore.js"
import * as Clock from "../internal/clock.js"
import * as Turns from "../internal/eventLoop.js"
import * as Hot from "../internal/hot.js"
import * as Metrics from "../Metrics.js"
import type { Space } from "./Entry.js"
import type { Keys } from "./Key.js"

export interface Store {
  /** Whether `get` ends without waiting. */
  readonly synchronous: boolean
  /** Reads the row, in this fiber. A store that does not wait is read at once. */
  readonly get: (
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    space: Space | "group",
    name: string
  ) => Effect.Effect<Row | undefined>
  /** Queues the row. */
  readonly put: (space: Space | "group", name: string, row: Row) => Effect.Effect<void>
  /** Removes a row that its reader could not decode. */
  readonly remove: (space: Space, name: string) => Effect.Effect<void>
}

const MAX_BATCH = 256
const MAX_QUEUED = 8192
const MAX_QUEUED_BYTES = 16 * 1024 * 1024

const MIN_PAUSE = 1000
const MAX_PAUSE = 60_000

/** Suspends calls after a failure, for longer after each further failure. */
class Breaker {
  #pause = 0
  #until = -Infinity

  isOpen<A, E>(fiber: Fiber.RuntimeFiber<A, E>): boolean {
    return this.#pause > 0 && Clock.monotonic(fiber) < this.#until
  }

  succeeded(): void {
    this.#pause = 0
  }

  /** Whether this is the first failure since the last success. */
  failed<A, E>(fiber: Fiber.RuntimeFiber<A, E>): boolean {
    const isFirst = this.#pause === 0
    this.#pause = isFirst ? MIN_PAUSE : Math.min(2 * this.#pause, MAX_PAUSE)
    this.#until = Clock.monotonic(fiber) + this.#pause
    return isFirst
  }
}

interface Queued {
  /** The space of versions to which its version belongs. */
  readonly space: Space
  readonly key: Uint8Array
  readonly row: Row
}

/** The space of versions of a row. Groups have the versions of values. */
const spaceOf = (space: Space | "group"): Space => (space === "account" ? "account" : "value")

const bytesOf = ({ key, row }: Queued): number => key.length + row.value.length

export const make = Effect.fnUntraced(function* (
  service: Service,
  keys: Keys
): Effect.fn.Return<Store, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const reads = new Breaker()
  const writes = new Breaker()
  const queue = new Map<string, Queued>()
  let queuedBytes = 0
  let writing: ReadonlyMap<string, Queued> = new Map()
  let isWriting = false
  const lost: { [space in Space]: bigint } = { account: 0n, value: 0n }

  const lose = ({ row, space }: Queued): void => {
    if (row.slot > lost[space]) lost[space] = row.slot
  }

  const failed = (breaker: Breaker, doing: string, error: CacheError) =>
    Effect.withFiberRuntime<void>((fiber) => {
      const count = Metric.increment(Metrics.cacheErrorsOf(error.reason))
      return breaker.failed(fiber)
        ? Effect.zipRight(
            count,
            Effect.logWarning(`The cache continues without ${doing} its store. ${error.message}`, error)
          )
        : count
    })

  /** Takes the oldest rows from the queue. */
  const take = (): ReadonlyMap<string, Queued> => {
    const batch = new Map<string, Queued>()
    for (const [name, queued] of queue) {
      if (batch.size === MAX_BATCH) break
      batch.set(name, queued)
      queue.delete(name)
      queuedBytes -= bytesOf(queued)
    }
    return batch
  }

  const writeBatch: Effect.Effect<void> = Effect.uninterruptible(
    Effect.withFiberRuntime((fiber) => {
      writing = take()
      if (writes.isOpen(fiber)) {
        writing.forEach(lose)
        return Effect.void
      }
      return Effect.matchEffect(service.putMany(Array.from(writing.values(), ({ key, row }) => [key, row] as const)), {
        onFailure: (error) => {
          writing.forEach(lose)
          return failed(writes, "writing to", error)
        },
        onSuccess: () => Effect.sync(() => writes.succeeded())
      })
    })
  )

  const writeAll = Effect.whileLoop({
    while: () => queue.size > 0,
    body: () => Effect.zipRight(Turns.next, writeBatch),
    step: () => undefined
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        writing = new Map()
        isWriting = false
      })
    )
  )

  // Writes the rest of the queue when the scope closes, because the writing fiber has ended.
  yield* Effect.addFinalizer(() =>
    Effect.whileLoop({ while: () => queue.size > 0, body: () => writeBatch, step: () => undefined })
  )

  const { get, unsafeGet } = service

  const onFailure = (error: CacheError) => Effect.as(failed(reads, "reading from", error), undefined)

  const read = (space: Space | "group", name: string): Effect.Effect<Row | undefined> => {
    const lowest = lost[spaceOf(space)]
    const onSuccess = (found: Option.Option<Row>) => {
      reads.succeeded()
      const row = Option.getOrUndefined(found)
      return Effect.succeed(row === undefined || row.slot < lowest ? undefined : row)
    }
    const found =
      unsafeGet === undefined
        ? get(keys[space](name))
        : unsafeGet(space === "account" ? keys.unsafeAccount(name) : keys[space](name))
    return Hot.isSuccess(found) ? onSuccess(found.value) : Effect.matchEffect(found, { onFailure, onSuccess })
  }

  const queuedOf = (space: Space | "group", name: string): Queued | undefined => {
    if (queue.size === 0 && writing.size === 0) return undefined
    const id = `${space} ${name}`
    return queue.get(id) ?? writing.get(id)
  }

  return {
    synchronous: service.unsafeGet !== undefined,
    get: (fiber, space, name) => {
      const queued = queuedOf(space, name)
      if (queued !== undefined) return Effect.succeed(queued.row)
      return reads.isOpen(fiber) ? Effect.succeed(undefined) : read(space, name)
    },
    put: (space, name, row) =>
      Effect.suspend(() => {
        const id = `${space} ${name}`
        const queued: Queued = { space: spaceOf(space), key: keys[space](name), row }
        const known = queue.get(id)
        if (known !== undefined && known.row.slot > row.slot) return Effect.void
        const isFull = queue.size >= MAX_QUEUED || queuedBytes + bytesOf(queued) > MAX_QUEUED_BYTES
        if (known === undefined && isFull) {
          lose(queued)
          return Effect.void
        }
        queuedBytes += bytesOf(queued) - (known === undefined ? 0 : bytesOf(known))
        queue.set(id, queued)
        if (isWriting) return Effect.void
        isWriting = true
        return Effect.asVoid(Effect.forkIn(writeAll, scope))
      }),
    remove: (space, name) =>
      Effect.catchAll(service.remove(keys[space](name)), (error) => failed(writes, "writing to", error))
  }
})
