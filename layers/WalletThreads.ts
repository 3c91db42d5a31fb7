/**
 * A wallet that signs batches on the threads of a worker pool. A thread gets the key as a handle of `node:crypto`: the
 * bytes of the key do not enter JavaScript's memory.
 *
 * It is for programs that call `sign` with many messages. A send signs one message, so threads do not speed it up.
 *
 * @since 0.1.0
 */
import { KeyObject } from "node:crypto"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import { type Service, Wallet, type WalletError } from "../services/Wallet.js"
import { WorkerPool } from "../services/WorkerPool.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Signature from "../src/solana/Signature.js"
import * as OwnTask from "./tasks/ownTask.js"
import * as WalletNode from "./WalletNode.js"

/** Minimum messages for the use of threads. Fewer are signed on the calling thread before a thread answers. */
const MIN_MESSAGES = 32

/**
 * As `WalletNode.fromKeyPair`. From 32 messages on, `sign` uses the threads of the `WorkerPool`. If the pool fails,
 * because it is closed or a thread crashed, the calling thread signs.
 *
 * @example
 * ```ts
 * import * as WalletThreads from "@pod-protocol/effect/layers/WalletThreads"
 * import * as WorkerPoolThreads from "@pod-protocol/effect/layers/WorkerPoolThreads"
 * import * as Effect from "effect/Effect"
 *
 * declare const keyPair: CryptoKeyPair
 *
 * export const signAll = (messages: ReadonlyArray<Uint8Array>) =>
 *   Effect.flatMap(WalletThreads.fromKeyPair(keyPair), (wallet) => wallet.sign(messages)).pipe(
 *     Effect.provide(WorkerPoolThreads.layer())
 *   )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromKeyPair = (keyPair: CryptoKeyPair): Effect.Effect<Service, InvalidInput | WalletError, WorkerPool> =>
  Effect.zipWith(WorkerPool, WalletNode.fromKeyPair(keyPair), ({ map }, wallet) => {
    const task = OwnTask.make<Uint8Array, Uint8Array>({
      name: "sign",
      encode: identity,
      decode: (signature) => new Uint8Array(signature),
      shared: KeyObject.from(keyPair.privateKey)
    })
    return {
      ...wallet,
      sign: (messages) =>
        messages.length < MIN_MESSAGES
          ? wallet.sign(messages)
          : map(task, messages).pipe(
              Effect.map((signatures) => signatures.map(Signature.bytes)),
              Effect.orElse(() => wallet.sign(messages))
            )
    }
  })

/**
 * {@link fromKeyPair} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyPair = (keyPair: CryptoKeyPair): Layer.Layer<Wallet, InvalidInput | WalletError, WorkerPool> =>
  Layer.effect(Wallet, fromKeyPair(keyPair))
