/** The feeds, by commitment. A feed runs while it has a consumer, and starts again for the next one. */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { persist } from "../internal/persist.js"
import type { Service } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import type { Binding } from "./Cursor.js"
import { type End, Feed } from "./Feed.js"
import { History, type Part, type Settled } from "./History.js"

export type { Inbox } from "./Feed.js"

/** An element for a consumer. */
export type Given = Part | End

/** The parts that a consumer reads from. */
export interface Source {
  readonly binding: Binding
  readonly history: History
  readonly feed: Feed
}

export interface Feeds {
  /** Returns the source of a commitment. It stays open until the scope closes. */
  readonly acquire: (commitment: Settled) => Effect.Effect<Source, RpcError, Scope.Scope>
}

interface Running extends Source {
  readonly fiber: Fiber.RuntimeFiber<void>
  consumers: number
}

export const make = (
  pool: Service,
  program: Address,
  options: { readonly pollInterval: number; readonly concurrency: number; readonly buffer: number }
): Effect.Effect<Feeds, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const lock = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const running = new Map<Settled, Running>()
    const start = (commitment: Settled, join: (source: Running) => void): Effect.Effect<void, RpcError> =>
      Effect.gen(function* () {
        const binding = { program, genesis: yield* persist(pool.getGenesisHash) }
        const history = new History(pool, program, commitment, options.concurrency)
        const feed = new Feed(history, binding, options)
        yield* feed.begin
        yield* Effect.uninterruptible(
          Effect.map(Effect.forkIn(Effect.interruptible(feed.run), scope), (fiber) => {
            const started: Running = { binding, history, feed, fiber, consumers: 0 }
            running.set(commitment, started)
            join(started)
          })
        )
      })

    const release = (commitment: Settled, source: Running): Effect.Effect<void> =>
      Effect.suspend(() => {
        source.consumers--
        if (source.consumers > 0) return Effect.void
        if (running.get(commitment) === source) running.delete(commitment)
        return Fiber.interruptFork(source.fiber)
      })

    return {
      acquire: (commitment) =>
        Effect.suspend(() => {
          let joined: Running | undefined
          const join = (source: Running): void => {
            source.consumers++
            joined = source
          }
          const acquired = Effect.suspend(() => {
            const known = running.get(commitment)
            if (known === undefined || known.feed.cause !== undefined) return start(commitment, join)
            return Effect.sync(() => join(known))
          })
          return Effect.acquireReleaseInterruptible(
            Effect.flatMap(lock(acquired), () =>
              joined === undefined ? Effect.dieMessage("a source without a feed") : Effect.succeed(joined)
            ),
            () => (joined === undefined ? Effect.void : release(commitment, joined))
          )
        })
    }
  })
