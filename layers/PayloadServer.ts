/**
 * A payload server: keeps payloads under their SHA-256 for agents on several machines. `PayloadStoreHttp` is its client,
 * and `PayloadServerNode` serves it on Node.
 *
 * | request | answer |
 * |---|---|
 * | `PUT /v1/payloads/<hash>` | 200; 400 if the body has another hash; 401, 408, 413, 415; 507 if disk or quota are full |
 * | `GET /v1/payloads/<hash>` | 200, or 206 for a single range; 304, 401, 404, 416 |
 * | `HEAD /v1/payloads/<hash>` | as `GET`, without the body |
 * | `DELETE /v1/payloads/<hash>` | 204: removes what was put with the same token; 403 without tokens |
 * | `GET /health` | 200; 503 if the storage cannot be read |
 * | `GET /metrics` | 200 in Prometheus' text format, where `metrics` is set; 401, 404 |
 *
 * A hash is 64 lower-case hexadecimal digits. A put of what the server keeps answers 200 too, and renews its expiry. The
 * server holds a piece of each body in memory, however long the body is. An answer of 200 means that the payload is on
 * the disk: a killed server has it whole, and an interrupted put leaves nothing.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Default as HttpApp } from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServer from "@effect/platform/HttpServer"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Function from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as StoreFailure from "../services/internal/storeFailure.js"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Access from "./payloads/Access.js"
import * as App from "./payloads/App.js"
import * as Folder from "./payloads/Folder.js"
import * as KeyValues from "./payloads/KeyValues.js"
import * as Ledger from "./payloads/Ledger.js"
import type * as PayloadStorage from "./payloads/Storage.js"

/**
 * What a server keeps payloads in: one of `folder`, `sqlite` and `keyValueStore`, or one's own.
 *
 * @since 0.1.0
 * @category models
 */
export type Storage = PayloadStorage.Storage

/**
 * A payload that arrives in pieces.
 *
 * @since 0.1.0
 * @category models
 */
export type Upload = PayloadStorage.Upload

/**
 * One owner's copy of a payload.
 *
 * @since 0.1.0
 * @category models
 */
export type Entry = PayloadStorage.Entry

/**
 * The storage failed, has no room left, or takes no more uploads at the moment.
 *
 * @since 0.1.0
 * @category errors
 */
export type StorageError = PayloadStorage.StorageError

/**
 * The server cannot start.
 *
 * - `Storage`: the payloads cannot be read or written.
 * - `PortTaken`: something else listens on the port.
 * - `Listen`: the address and port cannot be used.
 *
 * @since 0.1.0
 * @category errors
 */
export class PayloadServerError extends printable(
  Schema.TaggedError<PayloadServerError>("@pod-protocol/effect/PayloadServerError")("PayloadServerError", {
    reason: Schema.Literal("Storage", "PortTaken", "Listen"),
    /** What happened, and what to do. */
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `PortTaken`: the port may become free. */
  get isRetryable(): boolean {
    return this.reason === "PortTaken"
  }

  override get message(): string {
    return this.detail
  }
}

/**
 * The error for a failure of the storage.
 *
 * @since 0.1.0
 * @category constructors
 */
export const storageFailed = (cause: unknown): PayloadServerError =>
  new PayloadServerError({
    reason: "Storage",
    detail: `The payload storage failed: ${StoreFailure.explain(cause)}`,
    cause
  })

/**
 * Options of the server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The tokens that the server accepts, one for each owner. Default: none, so that everybody who reaches the server may
   * put and read, under one quota, and nobody may remove.
   */
  readonly tokens?: ReadonlyArray<string | Redacted.Redacted> | undefined
  /** Whether reading needs no token. Default false. It has no effect without `tokens`. */
  readonly publicReads?: boolean | undefined
  /**
   * Maximum bytes of one payload. Default 16 MiB (16,777,216). Too low: senders get `TooLarge`. Too high: one upload can
   * use up a quota.
   */
  readonly maxBytes?: number | undefined
  /**
   * Bytes that one owner may keep. Each payload counts for 512 bytes beside its own. Default 1 GiB (1,073,741,824).
   * Too low: senders get `Full`. Too high: one owner fills the disk.
   */
  readonly quota?: number | undefined
  /**
   * How long a payload is kept after its last put. Default 8 days: a message expires 7 days after it was sent, and its
   * payload may be put before. Too low: recipients miss payloads. Too high: the disk keeps what nobody may mark any more.
   */
  readonly retention?: Duration.DurationInput | undefined
  /** How often expired payloads are removed. Default 10 minutes. An expired payload is not served in between. */
  readonly sweepInterval?: Duration.DurationInput | undefined
  /**
   * Time in which the body of a put must arrive. Default 60 seconds. Too low: 408 for slow senders. Too high: slow
   * senders hold connections.
   */
  readonly bodyTimeout?: Duration.DurationInput | undefined
  /**
   * Who may read `/metrics`: whoever has this token, or everybody with `"public"`. Default: nobody, and the path answers 404.
   * The numbers are those of the whole process. `Authorization: Bearer` has the token, which Prometheus sends by its setting
   * `authorization.credentials`. It reads no payload.
   */
  readonly metrics?: "public" | Redacted.Redacted | undefined
  /** Origins of web pages that may use the server (`https://app.example`), or `*` for all. Default: none. */
  readonly allowOrigins?: ReadonlyArray<string> | undefined
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
const DEFAULT_QUOTA = 1024 * 1024 * 1024

/**
 * Payloads in the files of a folder, which is made if it does not exist. Files can be read by their owner alone. One
 * server at a time may use the folder.
 *
 * @since 0.1.0
 * @category storages
 */
export const folder: (directory: string) => Effect.Effect<Storage, PlatformError, FileSystem> = Folder.make

/**
 * Payloads in an SQLite file, made if it does not exist, through the API of `node:sqlite`. Node.js 22.13 and later have it
 * built in; earlier ones need the optional package `@photostructure/sqlite` 1.2.1. The scope closes the file. One server at
 * a time may use it. Removed payloads make room in the file, which does not shrink.
 *
 * Each put holds the event loop while the disk syncs: a folder takes more puts at a time.
 *
 * @since 0.1.0
 * @category storages
 */
export const sqlite = (file: string): Effect.Effect<Storage, PayloadServerError, Scope.Scope> =>
  Effect.promise(() => Promise.all([import("./internal/Sqlite.js"), import("./payloads/SqliteStorage.js")])).pipe(
    Effect.flatMap(([Sqlite, SqliteStorage]) =>
      Effect.flatMap(Sqlite.load, (sqlite) => Effect.mapError(SqliteStorage.make(sqlite, file), ({ cause }) => cause))
    ),
    Effect.mapError(storageFailed)
  )

/**
 * Payloads in a `KeyValueStore`, under keys that begin with `pod/payload-server/`. Such a store cannot list its keys:
 * expired payloads that nobody asks for stay, and quotas count from the start of the server. Uploads are in memory, at
 * most 64 MiB of them together.
 *
 * @since 0.1.0
 * @category storages
 */
export const keyValueStore: Effect.Effect<Storage, PlatformError, KeyValueStore> = KeyValues.make

/**
 * The server as an `HttpApp`, for an application that mounts it in its own server. It removes expired payloads until the
 * scope closes. Fails with `InvalidInput` for a bad option, and with `PayloadServerError` if the storage cannot be
 * read.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  storage: Storage,
  options: Options = {}
): Effect.Effect<HttpApp<never, Scope.Scope>, InvalidInput | PayloadServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const { allowOrigins = [], metrics, publicReads = false, tokens = [] } = options
    const access = yield* Access.make({ allowOrigins, metrics, publicReads, tokens })
    const maxBytes = yield* Check.integer("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, 1)
    const quota = yield* Check.integer("quota", options.quota ?? DEFAULT_QUOTA, 1)
    const retention = yield* Check.millis("retention", options.retention ?? "8 days")
    const sweepInterval = yield* Check.millis("sweepInterval", options.sweepInterval ?? "10 minutes")
    const bodyTimeout = yield* Check.millis("bodyTimeout", options.bodyTimeout ?? "60 seconds")
    const ledger = yield* Effect.mapError(Ledger.make(storage, { quota, retention }), ({ cause }) =>
      storageFailed(cause)
    )
    yield* ledger.sweep.pipe(
      Effect.catchAll(({ cause }) =>
        Effect.logError(`Expired payloads cannot be removed: ${StoreFailure.explain(cause)}`)
      ),
      Effect.zipRight(Effect.sleep(Duration.millis(sweepInterval))),
      Effect.forever,
      Effect.forkScoped
    )
    return App.make({ storage, ledger, access, maxBytes, bodyTimeout })
  })

/**
 * Serves {@link make} on the `HttpServer` of the context.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http"
 * import * as NodeContext from "@effect/platform-node/NodeContext"
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import * as PayloadServer from "@pod-protocol/effect/layers/PayloadServer"
 * import * as Layer from "effect/Layer"
 *
 * export const Server = PayloadServer.layer(PayloadServer.folder("payloads"), { tokens: ["s3cret"] }).pipe(
 *   Layer.provide([NodeContext.layer, NodeHttpServer.layer(createServer, { port: 8080 })])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E, R>(
  storage: Effect.Effect<Storage, E, R>,
  options: Options = {}
): Layer.Layer<never, E | InvalidInput | PayloadServerError, Exclude<R, Scope.Scope> | HttpServer.HttpServer> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const app = yield* make(yield* storage, options)
      const { serve } = yield* HttpServer.HttpServer
      yield* HttpMiddleware.withTracerDisabledWhenEffect(serve(app), Function.constTrue)
    })
  )
