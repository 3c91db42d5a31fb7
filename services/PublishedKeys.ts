/**
 * Keys that agents publish for sealing. `Message.send({ seal: true })` and `SealedChannel` use this service if it is in
 * the context of the call. A text sealed to a published key can be opened without the wallet's private key.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AccountType from "../src/protocol/AccountType.js"
import * as Pda from "../src/protocol/Pda.js"
import * as SealingKey from "../src/protocol/SealingKey.js"
import * as TestLayer from "./internal/testLayer.js"
import * as Accounts from "./program/accounts.js"
import type { RpcPool } from "./RpcPool.js"
import { SealedError } from "./Sealing.js"

/**
 * Looks up published keys.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * The X25519 key that the agent of a wallet publishes, 32 bytes. `None` if the agent publishes no key, or if the
   * wallet has no agent. `SealedError` with reason `KeyUnavailable` if the key cannot be read now, and
   * `BadPublishedKey` if the published text is not a key.
   */
  readonly find: (wallet: Address) => Effect.Effect<Option.Option<Uint8Array>, SealedError>
}

/**
 * Looks up published keys.
 *
 * @since 0.1.0
 * @category tags
 */
export class PublishedKeys extends Context.Tag("@pod-protocol/effect/PublishedKeys")<PublishedKeys, Service>() {}

/**
 * Reads the JSON document at a metadata URI. Anyone can write any URI to the chain: the function must limit time and
 * bytes, and connect only to public addresses.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadDocument<E = unknown, R = never> = (uri: string) => Effect.Effect<unknown, E, R>

/**
 * Builds the service from the `RpcPool` in context, for the current `ProgramId`. A key in the fragment of an agent's
 * metadata URI has priority (see `protocol/SealingKey`). Without such a key, `readDocument` reads the document. Without
 * `readDocument`, the service uses only the fragment and makes no other request.
 *
 * Each `find` reads the agent's account; a `Cache` in context avoids repeated reads.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E = never, R = never>(
  readDocument?: ReadDocument<E, R>
): Effect.Effect<Service, never, R | RpcPool> =>
  Effect.gen(function* () {
    const { fetch, programId } = yield* Accounts.make
    const context = yield* Effect.context<R>()
    const metadataUri = (wallet: Address) =>
      fetch(AccountType.agent, Pda.agent(wallet, programId).address).pipe(
        Effect.map(({ account }) => Option.some(account.metadataUri)),
        Effect.catchTag("AccountNotFound", () => Effect.succeedNone)
      )
    const find: Service["find"] = (wallet) => {
      const failed = (reason: SealedError["reason"]) => (cause: unknown) =>
        new SealedError({ reason, recipient: wallet, cause })
      return Effect.gen(function* () {
        const uri = yield* Effect.mapError(metadataUri(wallet), failed("KeyUnavailable"))
        if (Option.isNone(uri)) return Option.none()
        const pinned = yield* Either.mapLeft(SealingKey.fromUri(uri.value), failed("BadPublishedKey"))
        if (Option.isSome(pinned) || readDocument === undefined) return pinned
        const document = yield* Effect.mapError(readDocument(uri.value), failed("KeyUnavailable"))
        return yield* Either.mapLeft(SealingKey.fromMetadata(document), failed("BadPublishedKey"))
      }).pipe(Effect.provide(context))
    }
    return { find }
  })

/**
 * {@link make} as a layer.
 *
 * @example
 * ```ts
 * import { PayloadStore, Pod, PublishedKeys } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const PodLive = PublishedKeys.layer().pipe(
 *   Layer.provideMerge(Pod.layer({ url: "http://127.0.0.1:8899" })),
 *   Layer.provide(PayloadStore.layerMemory)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E = never, R = never>(
  readDocument?: ReadDocument<E, R>
): Layer.Layer<PublishedKeys, never, R | RpcPool> => Layer.effect(PublishedKeys, make(readDocument))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<PublishedKeys> => TestLayer.layer(PublishedKeys, stubs)
