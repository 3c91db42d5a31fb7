import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"
import type { RpcTransport, SubscriptionKind } from "../../../services/RpcTransport.js"
import { SubscriptionError } from "../../../services/RpcTransport.js"
import type { Established, Interrupted } from "../../../services/SubscriptionObserver.js"
import { SubscriptionObserver } from "../../../services/SubscriptionObserver.js"

/** One subscription that a scripted node holds. */
export interface Held {
  readonly kind: SubscriptionKind
  readonly params: ReadonlyArray<unknown>
  readonly queue: Queue.Queue<Take.Take<unknown, SubscriptionError>>
}

/** A node of which a test opens, feeds and cuts the sockets. */
export interface Sockets {
  readonly subscribe: RpcTransport["subscribe"]
  readonly open: ReadonlySet<Held>
  /** Subscribe calls so far. */
  readonly subscribed: () => number
  /** Whether subscribe calls are accepted; true at first. */
  accepting: boolean
  readonly notify: (value: unknown, kind?: SubscriptionKind) => Effect.Effect<void>
  readonly cut: Effect.Effect<void>
}

export const error = (reason: SubscriptionError["reason"], kind: SubscriptionKind = "account"): SubscriptionError =>
  new SubscriptionError({ reason, method: `${kind}Subscribe`, detail: "scripted" })

/** Lets the fibers that are ready run until they wait. */
export const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow(), { discard: true })

export const sockets = (): Sockets => {
  const open = new Set<Held>()
  let count = 0
  const self: Sockets = {
    open,
    accepting: true,
    subscribed: () => count,
    subscribe: (kind, params) =>
      Stream.unwrapScoped(
        Effect.gen(function* () {
          count++
          if (!self.accepting) return yield* error("Connect", kind)
          const held: Held = { kind, params, queue: yield* Queue.unbounded<Take.Take<unknown, SubscriptionError>>() }
          yield* Effect.acquireRelease(
            Effect.sync(() => open.add(held)),
            () => Effect.sync(() => open.delete(held))
          )
          const observer = yield* SubscriptionObserver
          yield* observer.established({ host: "fake" })
          return Stream.flattenTake(Stream.fromQueue(held.queue))
        })
      ),
    notify: (value, kind) =>
      Effect.suspend(() =>
        Effect.forEach(
          [...open].filter((held) => kind === undefined || held.kind === kind),
          (held) => Queue.offer(held.queue, Take.of(value)),
          { discard: true }
        )
      ).pipe(Effect.zipRight(settle)),
    cut: Effect.suspend(() =>
      Effect.forEach([...open], (held) => Queue.offer(held.queue, Take.fail(error("Closed", held.kind))), {
        discard: true
      })
    ).pipe(Effect.zipRight(settle))
  }
  return self
}

/** What a subscriber sees, in order. */
export type Seen =
  | { readonly value: unknown }
  | { readonly established: Established }
  | { readonly interrupted: Interrupted }

/** Runs a subscription in the background and keeps what it sees. */
export const watch = <E>(stream: Stream.Stream<unknown, E>) =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const fiber = yield* stream.pipe(
      Stream.provideService(SubscriptionObserver, {
        established: (established) => Effect.sync(() => void seen.push({ established })),
        interrupted: (interrupted) => Effect.sync(() => void seen.push({ interrupted }))
      }),
      Stream.runForEachChunk((values) => Effect.sync(() => Chunk.forEach(values, (value) => seen.push({ value })))),
      Effect.either,
      Effect.fork
    )
    yield* settle
    return {
      seen,
      fiber,
      values: () => seen.flatMap((event) => ("value" in event ? [event.value] : [])),
      story: () =>
        seen.map((event) => ("value" in event ? event.value : "established" in event ? "established" : "interrupted")),
      stop: Fiber.interrupt(fiber)
    }
  })
