/**
 * One payload server, or one bucket: each operation is one request, without retries.
 *
 * - At most the limit of a body is read, whatever its `content-length` says.
 * - Errors, causes and spans contain only the host of the server, and no path, token or byte of a body.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FifoSemaphore from "../../services/internal/FifoSemaphore.js"
import { PayloadStoreError } from "../../services/PayloadStore.js"
import type * as Outside from "../../src/internal/Outside.js"
import * as Causes from "../internal/Causes.js"
import { type Disconnected, type Exchange, Late, type Method, type Reply } from "./Exchange.js"
import * as Path from "./Path.js"

/** The differences between kinds of servers. */
export interface Protocol {
  /** The path of a payload below the URL of its server. */
  readonly pathOf: (key: string) => string
  /** The headers that authenticate the request. */
  readonly authorize: (method: Method, target: URL, key: string) => Effect.Effect<Record<string, string>, unknown>
  /** A more precise refusal, from the first bytes of its body. */
  readonly explain?: ((text: string) => Refusal | undefined) | undefined
}

export interface Refusal {
  /** Default: the reason of the status. */
  readonly reason?: PayloadStoreError["reason"] | undefined
  readonly detail: string
}

/** The address of a server, and its protocol. */
export interface Address {
  readonly host: string
  readonly url: Redacted.Redacted<URL>
  readonly protocol: Protocol
  /** Removes the secrets of the URL and of the credentials from a text. */
  readonly clean: Outside.Show
}

/** The protocol of `PayloadServer`. */
export const payloadServer = (token: Option.Option<Redacted.Redacted>): Protocol => ({
  pathOf: Path.of,
  authorize: () =>
    Effect.succeed(Option.isNone(token) ? {} : { authorization: `Bearer ${Redacted.value(token.value)}` })
})

export interface Limits {
  readonly maxBytes: number
  /** Milliseconds from a request to the last byte of its reply. */
  readonly timeout: number
  /** Maximum concurrent requests. */
  readonly concurrency: number
}

/** A failure, and the wait that the server asked for. */
export class Failure {
  readonly _tag = "Failure"

  constructor(
    readonly error: PayloadStoreError,
    readonly retryAfter = 0
  ) {}
}

/** The operations of one server on the payload with a hash. */
export interface Remote {
  readonly put: (key: string, bytes: Uint8Array) => Effect.Effect<void, Failure>
  readonly get: (key: string) => Effect.Effect<Uint8Array, Failure>
  readonly has: (key: string) => Effect.Effect<boolean, Failure>
  readonly remove: (key: string) => Effect.Effect<void, Failure>
}

/** Maximum bytes of a refusal's body. Those of S3 have up to 4 KiB. */
const MAX_REFUSAL = 8192

const MAX_RETRY_AFTER = 30_000

const REDIRECT = "it redirects to another URL: set the final URL"

const REASONS: Readonly<Record<number, PayloadStoreError["reason"] | undefined>> = {
  404: "NotFound",
  408: "Unavailable",
  413: "TooLarge",
  425: "Unavailable",
  429: "Unavailable",
  501: "Refused",
  505: "Refused",
  507: "Full"
}

const reasonOf = (status: number): PayloadStoreError["reason"] =>
  REASONS[status] ?? (status >= 500 ? "Unavailable" : "Refused")

const seconds = (text: string | undefined): number =>
  text !== undefined && /^\d{1,6}$/.test(text) ? Math.min(Number(text) * 1000, MAX_RETRY_AFTER) : 0

const isDone = (status: number) => status >= 200 && status < 300

const decoder = new TextDecoder()

export const make = (
  { clean, host, protocol, url }: Address,
  exchange: Exchange,
  { concurrency, maxBytes, timeout }: Limits
): Remote => {
  const running = FifoSemaphore.make(concurrency)
  let silences = 0
  /**
   * Makes a request when fewer than `concurrency` are running. If a request times out meanwhile, the waiting ones fail
   * too: the server is silent, and they would time out one after another.
   */
  const limited = (exchanged: ReturnType<Exchange>): ReturnType<Exchange> =>
    Effect.suspend(() => {
      const before = silences
      return running.withPermit(
        Effect.suspend(() =>
          silences === before
            ? Effect.tapError(exchanged, ({ _tag }) => Effect.sync(() => void (silences += _tag === "Late" ? 1 : 0)))
            : Effect.fail(new Late())
        )
      )
    })

  const failure = (key: string, reason: PayloadStoreError["reason"], detail?: string, cause?: unknown) =>
    new Failure(
      new PayloadStoreError({
        reason,
        hash: key,
        host,
        detail: detail === undefined ? undefined : clean(detail),
        cause
      })
    )

  const disconnected = (key: string, error: Disconnected | Late) => {
    if (error._tag === "Late") return failure(key, "Unavailable", `the reply was not complete within ${timeout} ms`)
    const { cause } = error
    const said = cause instanceof Error ? cause.message : "the request failed"
    return failure(key, "Unavailable", Causes.explain(cause, said))
  }

  const refusal = (key: string, { body, headers, status }: Reply): Effect.Effect<never, Failure> => {
    if (status === 0 || (status >= 300 && status < 400)) return Effect.fail(failure(key, "Refused", REDIRECT))
    const said = decoder.decode(body)
    const explained = protocol.explain?.(said)
    // Not shortened here: a secret that was cut in two would not be removed.
    const detail = explained?.detail ?? said
    const { error } = failure(
      key,
      explained?.reason ?? reasonOf(status),
      `HTTP ${status}${detail === "" ? "" : `: ${detail}`}`
    )
    return Effect.fail(new Failure(error, seconds(headers["retry-after"])))
  }

  const done = (key: string) => (reply: Reply) => (isDone(reply.status) ? Effect.void : refusal(key, reply))

  const request = <A>(
    method: Method,
    key: string,
    onReply: (reply: Reply) => Effect.Effect<A, Failure>,
    body?: Uint8Array
  ): Effect.Effect<A, Failure> =>
    Effect.suspend(() => {
      const target = new URL(Redacted.value(url))
      target.pathname = target.pathname.replace(/\/$/, "") + protocol.pathOf(key)
      const bytesOf = (status: number) => (method === "GET" && status === 200 ? maxBytes : MAX_REFUSAL)
      return Effect.matchEffect(protocol.authorize(method, target, key), {
        onFailure: () => Effect.fail(failure(key, "Refused", "the request cannot be signed")),
        onSuccess: (authorization) => {
          const headers = { "accept-encoding": "identity", ...authorization }
          return Effect.matchEffect(limited(exchange({ method, target, headers, body }, { bytesOf, timeout })), {
            onFailure: (error) => Effect.fail(disconnected(key, error)),
            onSuccess: onReply
          })
        }
      })
    })

  return {
    put: (key, bytes) =>
      Effect.mapError(request("PUT", key, done(key), bytes), (failed) =>
        // A server without this path answers as if the payload were missing.
        failed.error.reason === "NotFound"
          ? failure(key, "Refused", "HTTP 404: no payload store answers at its URL")
          : failed
      ),
    get: (key) =>
      request("GET", key, (reply) => {
        if (reply.status !== 200) return refusal(key, reply)
        return reply.body === undefined ? Effect.fail(failure(key, "TooLarge")) : Effect.succeed(reply.body)
      }),
    has: (key) =>
      request("HEAD", key, (reply) => {
        if (isDone(reply.status)) return Effect.succeed(true)
        return reply.status === 404 ? Effect.succeed(false) : refusal(key, reply)
      }),
    remove: (key) => request("DELETE", key, (reply) => (reply.status === 404 ? Effect.void : done(key)(reply)))
  }
}
