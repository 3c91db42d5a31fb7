/**
 * Serves payloads on Node from a folder; see `PayloadServer` for the protocol.
 *
 * @since 0.1.0
 */
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Check from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Listening from "./internal/Listening.js"
import * as PayloadServer from "./PayloadServer.js"

/**
 * Options of {@link serve}.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServeOptions extends PayloadServer.Options {
  /** The folder of the payloads. It is created if it does not exist. */
  readonly directory: string
  /**
   * How the folder stores payloads: as `files` (default), or in the one file `payloads.sqlite`. One file needs fewer
   * inodes and is copied as a whole, but handles fewer concurrent puts. See `PayloadServer.sqlite` for its
   * requirements.
   */
  readonly storage?: "files" | "sqlite" | undefined
  /** TCP port. Default 0: any free port. */
  readonly port?: number | undefined
  /** Address to listen on. Default 127.0.0.1. Set `tokens` before other machines can reach it. */
  readonly host?: string | undefined
  /**
   * Maximum concurrent TCP connections. Default 1024. The server closes further connections at once. Too low: clients
   * are refused. Too high: clients can exhaust the file descriptors.
   */
  readonly maxConnections?: number | undefined
}

/**
 * The address of a payload server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Served {
  readonly port: number
  /** `http://host:port` */
  readonly url: string
}

const MAX_PORT = 65_535
const DEFAULT_CONNECTIONS = 1024

/** Maximum milliseconds for the header section of a request. A payload request has a few hundred bytes. */
const HEADERS_TIMEOUT = 10_000
/** Milliseconds of silence after which a connection is closed. */
const IDLE_TIMEOUT = 60_000
/** Milliseconds, about 24 days. */
const MAX_REQUEST_TIMEOUT = 2 ** 31 - 1
const MAX_HEADER_BYTES = 8192

const files = (directory: string) => Effect.mapError(PayloadServer.folder(directory), PayloadServer.storageFailed)

const database = (directory: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.mapError(fs.makeDirectory(directory, { recursive: true, mode: 0o700 }), PayloadServer.storageFailed)
  ).pipe(Effect.zipRight(PayloadServer.sqlite(join(directory, "payloads.sqlite"))))

/**
 * Serves the folder until the scope closes. Fails with `InvalidInput` for an option out of its range.
 *
 * @example
 * ```ts
 * import * as PayloadServerNode from "@pod-protocol/effect/layers/PayloadServerNode"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * export const main = Effect.gen(function* () {
 *   const { url } = yield* PayloadServerNode.serve({ directory: "payloads", tokens: [Redacted.make("s3cret")] })
 *   yield* Effect.log(url)
 *   return yield* Effect.never
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = ({
  directory,
  host = "127.0.0.1",
  maxConnections = DEFAULT_CONNECTIONS,
  port = 0,
  storage = "files",
  ...options
}: ServeOptions): Effect.Effect<Served, InvalidInput | PayloadServer.PayloadServerError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Check.integer("port", port, 0, MAX_PORT)
    yield* Check.integer("maxConnections", maxConnections, 1)
    const bodyTimeout = yield* Check.millis("bodyTimeout", options.bodyTimeout ?? "60 seconds")
    if (storage !== "files" && storage !== "sqlite") {
      return yield* new InvalidInput({ field: "storage", rule: "must be files or sqlite" })
    }
    const http = yield* Listening.listen({
      host,
      port,
      maxConnections,
      idleTimeout: IDLE_TIMEOUT,
      server: {
        headersTimeout: HEADERS_TIMEOUT,
        // It also ends bodies that the server does not read, such as those of refused requests.
        requestTimeout: Math.min(Math.ceil(bodyTimeout) + HEADERS_TIMEOUT, MAX_REQUEST_TIMEOUT),
        connectionsCheckingInterval: HEADERS_TIMEOUT / 2,
        maxHeaderSize: MAX_HEADER_BYTES
      }
    }).pipe(Effect.mapError((refusal) => new PayloadServer.PayloadServerError(refusal)))
    yield* Layer.build(
      PayloadServer.layer(storage === "files" ? files(directory) : database(directory), options).pipe(
        Layer.provide([NodeFileSystem.layer, Layer.succeed(HttpServer.HttpServer, http)])
      )
    )
    const bound = Listening.portOf(http, port)
    return { port: bound, url: Listening.urlOf(host, bound) }
  })
