/**
 * Sealing on the threads of a worker pool, by `node:crypto`. Sealing 1 KiB takes more than 100 µs; a task takes about
 * 10 µs of the calling thread. So threads save time if many payloads are sealed. A single payload is ready later by the
 * transfer time.
 *
 * A payload with an `id` is sealed on the calling thread, where its derived secret stays. So is a payload that the pool
 * does not seal because it is full or closed, or because a thread crashed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Sealing } from "../services/Sealing.js"
import { WorkerPool } from "../services/WorkerPool.js"
import * as Shared from "./internal/sealing.js"
import * as X25519 from "./internal/X25519.js"
import * as OwnTask from "./tasks/ownTask.js"
import * as SealFrame from "./tasks/sealFrame.js"

const seal = OwnTask.make({ name: "seal", encode: SealFrame.input, decode: SealFrame.readOutput })

/**
 * Seals on the threads of the `WorkerPool`. Opening stays on the calling thread, where the wallet's key is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.map(WorkerPool, ({ run }) =>
  Shared.make({
    hmac: X25519.hmac,
    encrypt: X25519.encrypt,
    decrypt: X25519.decrypt,
    sealTo: (key, info, bytes, ikm) => {
      const here = Effect.sync(() =>
        X25519.seal(key, info, bytes, ikm === undefined ? undefined : X25519.pairFrom(ikm))
      )
      return ikm === undefined ? Effect.orElse(run(seal, { key, info, bytes }), () => here) : here
    }
  })
)

/**
 * {@link make} as a layer. Provide it in place of `SealingNode.layer`, over a pool.
 *
 * @example
 * ```ts
 * import * as SealingThreads from "@pod-protocol/effect/layers/SealingThreads"
 * import * as WorkerPoolThreads from "@pod-protocol/effect/layers/WorkerPoolThreads"
 * import * as Layer from "effect/Layer"
 *
 * export const sealing = SealingThreads.layer.pipe(Layer.provide(WorkerPoolThreads.layer()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Sealing, never, WorkerPool> = Layer.effect(Sealing, make)
