/**
 * A payload server: stores payloads under their SHA-256, for agents on several machines. `PayloadStoreHttp` is the
 * client, and `PayloadServerNode` serves it on Node.
 *
 * | request | answer |
 * |---|---|
 * | `PUT /v1/payloads/<hash>` | 200; 400 if the body has another hash; 401, 408, 413, 415; 507 if the disk or the quota is full |
 * | `GET /v1/payloads/<hash>` | 200, or 206 for a single range; 304, 401, 404, 416 |
 * | `HEAD /v1/payloads/<hash>` | as `GET`, without the body |
 * | `DELETE /v1/payloads/<hash>` | 204: removes the payload that the same token put; 403 if the server has no tokens |
 * | `GET /health` | 200; 503 if the storage cannot be read |
 * | `GET /metrics` | 200 in Prometheus' text format, if `metrics` is set; 401, 404 |
 *
 * A hash is 64 lower-case hexadecimal digits. A put of a stored payload also answers 200, and renews its expiry. The
 * server holds only a piece of each body in memory. After an answer of 200, the payload is on the disk. A killed server
 * leaves it whole, and an interrupted put leaves nothing.
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
 * The storage of a server: `folder`, `sqlite`, `keyValueStore`, or your own.
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
 * The storage failed, is full, or accepts no more uploads at the moment.
 *
 * @since 0.1.0
 * @category errors
 */
export type StorageError = PayloadStorage.StorageError

/**
 * The server cannot start.
 *
 * - `Storage`: the payloads cannot be read or written.
 * - `PortTaken`: another process listens on the port.
 * - `Listen`: the address and port cannot be used.
 *
 * @since 0.1.0
 * @category errors
 */
export class PayloadServerError extends printable(
  Schema.TaggedError<PayloadServerError>("@pod-protocol/effect/PayloadServerError")("PayloadServerError", {
    reason: Schema.Literal("Storage", "PortTaken", "Listen"),
    /** The failure, and the advice. */
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
   * The tokens that the server accepts, one for each owner. Default: none. Then every client may put and read, under
   * one common quota, and no client may remove.
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
   * Maximum bytes of one owner's payloads. Each payload counts for its size plus 512 bytes. Default 1 GiB
   * (1,073,741,824). Too low: senders get `Full`. Too high: one owner fills the disk.
   */
  readonly quota?: number | undefined
  /**
   * How long a payload is kept after its last put. Default 8 days: a message expires 7 days after it was sent, and its
   * payload may be put earlier. Too low: recipients miss payloads. Too high: the disk keeps payloads of expired
   * messages.
   */
  readonly retention?: Duration.DurationInput | undefined
  /**
   * Time between two removals of expired payloads. Default 10 minutes. Too low: more reads of the disk. Too high:
   * expired payloads use the disk longer. Expired payloads are never served.
   */
  readonly sweepInterval?: Duration.DurationInput | undefined
  /**
   * Maximum time until the body of a put has arrived. Default 60 seconds. Too low: 408 for slow senders. Too high: slow
   * senders hold connections.
   */
  readonly bodyTimeout?: Duration.DurationInput | undefined
  /**
   * Access to `/metrics`: with this token, or for everybody with `"public"`. Default: no access, and the path answers
   * 404. The metrics are those of the whole process. Clients send the token as `Authorization: Bearer`, which
   * Prometheus does with its setting `authorization.credentials`. This token gives no access to payloads.
   */
  readonly metrics?: "public" | Redacted.Redacted | undefined
  /** Origins of web pages that may use the server (`https://app.example`), or `*` for all. Default: none. */
  readonly allowOrigins?: ReadonlyArray<string> | undefined
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
const DEFAULT_QUOTA = 1024 * 1024 * 1024

/**
 * Payloads in the files of a folder, which is created if it does not exist. Only the owner of the process can read the
 * files. One server at a time may use the folder.
 *
 * @since 0.1.0
 * @category storages
 */
export const folder: (directory: string) => Effect.Effect<Storage, PlatformError, FileSystem> = Folder.make

/**
 * Payloads in an SQLite file, created if it does not exist, with the API of `node:sqlite`. Node.js includes this from
 * version 22.13; earlier versions need the optional package `@photostructure/sqlite` 1.2.1. The scope closes the file.
 * One server at a time may use it. The space of removed payloads is reused, but the file does not shrink.
 *
 * Each put blocks the event loop while the disk syncs: a folder handles more concurrent puts.
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
 * Payloads in a `KeyValueStore`, under keys that begin with `pod/payload-server/`. Such a store cannot list its keys.
 * So expired payloads stay until a client requests them, and quotas count from the start of the server. Uploads are in
 * memory, together at most 64 MiB.
 *
 * @since 0.1.0
 * @category storages
 */
export const keyValueStore: Effect.Effect<Storage, PlatformError, KeyValueStore> = KeyValues.make

/**
 * The server as an `HttpApp`, to mount in an application's own server. It removes expired payloads until the scope
 * closes. Fails with `InvalidInput` for an invalid option, and with `PayloadServerError` if the storage cannot be read.
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
