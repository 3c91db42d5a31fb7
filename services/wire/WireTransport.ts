/**
 * Makes the transport of one endpoint from an HTTP POST and a function that opens sockets. It writes and reads the JSON-RPC
 * texts, bounds the replies, and removes secrets from errors. Call ids and reply texts stay inside this file.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Check from "../../src/internal/check.js"
import type * as Outside from "../../src/internal/Outside.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Closing from "../internal/closing.js"
import * as Direct from "../internal/direct.js"
import type { RpcError, RpcTransport } from "../RpcTransport.js"
import * as HttpStatus from "./HttpStatus.js"
import * as JsonRpc from "./JsonRpc.js"
import * as ReplyLimits from "./ReplyLimits.js"
import * as Shown from "./Shown.js"
import * as Subscriptions from "./Subscriptions.js"

/** Sends the JSON text of a call and returns its reply of at most `maxBytes`. It ends the call at its deadline. */
export type Post = Direct.Startable<
  readonly [method: string, body: string, maxBytes: number],
  HttpStatus.HttpReply,
  RpcError
>

/** Bounds of what one endpoint may send. */
export interface Options {
  /**
   * Maximum bytes of a reply, also after decompression. Default: 64 MiB, about 300,000 small accounts. Too low:
   * getProgramAccounts fails. Too high: a hostile node can fill the memory. At most 511 MiB.
   */
  readonly maxReplyBytes?: number | undefined
  /**
   * The same limit for methods with small replies, such as getSlot, getLatestBlockhash, getSignatureStatuses and
   * sendTransaction. getTransaction and getSignaturesForAddress get 16 times as much. An array of calls gets the sum of
   * its calls. None exceeds `maxReplyBytes`. Default: 128 KiB. Too low: errors with long logs cannot be read. Too high:
   * a hostile node costs memory and time with each call.
   */
  readonly maxSmallReplyBytes?: number | undefined
  /**
   * Maximum bytes of one notification. Default: 16 MiB, which holds the largest account (10 MiB) as base64. Too low: a
   * change of such an account ends the socket. Too high: a hostile node can fill the memory.
   */
  readonly maxNotificationBytes?: number | undefined
  /**
   * Maximum queued notifications of a slow subscriber. Default: 1024. With more, its Stream fails with `Overflow` after
   * the queued ones. Too low: bursts (a busy program) end the Stream. Too high: only `maxQueuedBytes` limits
   * them.
   */
  readonly maxQueuedNotifications?: number | undefined
  /**
   * Maximum bytes of the queued notifications of one subscriber; a single notification may be larger. Default: 8 MiB.
   * With more, its Stream fails with `Overflow`. Too low: bursts end the Stream. Too high: a hostile node can fill the
   * memory.
   */
  readonly maxQueuedBytes?: number | undefined
  /**
   * Maximum subscriptions on one WebSocket; a further one opens another WebSocket. Default: 100, the limit of the
   * public mainnet endpoint. Too low: many sockets. Too high: the provider refuses subscriptions or closes the socket.
   */
  readonly maxSubscriptionsPerSocket?: number | undefined
}

/** The options with defaults applied. */
export interface Settings {
  readonly maxReplyBytes: number
  readonly maxSmallReplyBytes: number
  readonly maxNotificationBytes: number
  readonly maxQueuedNotifications: number
  readonly maxQueuedBytes: number
  readonly maxSubscriptionsPerSocket: number
}

const MEBIBYTE = 1024 * 1024

/** More bytes may exceed V8's maximum string length, which would throw in a callback of the socket. */
const MAX_TEXT = 511 * MEBIBYTE

/** Applies the defaults and checks the given options. */
export const settings = ({
  maxNotificationBytes = 16 * MEBIBYTE,
  maxReplyBytes = 64 * MEBIBYTE,
  maxSmallReplyBytes = ReplyLimits.SMALL,
  maxQueuedNotifications = 1024,
  maxQueuedBytes = 8 * MEBIBYTE,
  maxSubscriptionsPerSocket = 100
}: Options): Either.Either<Settings, InvalidInput> =>
  Either.all({
    maxReplyBytes: Check.integer("maxReplyBytes", maxReplyBytes, 1, MAX_TEXT),
    maxSmallReplyBytes: Check.integer("maxSmallReplyBytes", maxSmallReplyBytes, 1),
    maxNotificationBytes: Check.integer("maxNotificationBytes", maxNotificationBytes, 1, MAX_TEXT),
    maxQueuedNotifications: Check.integer("maxQueuedNotifications", maxQueuedNotifications, 1),
    maxQueuedBytes: Check.integer("maxQueuedBytes", maxQueuedBytes, 1),
    maxSubscriptionsPerSocket: Check.integer("maxSubscriptionsPerSocket", maxSubscriptionsPerSocket, 1)
  })

/** The connection to one endpoint. */
export interface Wire {
  readonly host: string
  readonly post: Post
  /** Starts to open a socket. */
  readonly open: Subscriptions.Options["open"]
  /** Removes the secrets of the endpoint's URL and headers from a text, and control characters. */
  readonly clean: Outside.Show
  /** How long a subscribe call may wait for its socket and its answer. */
  readonly subscribeTimeout: Duration.Duration
}

/** The transport over a wire. It ends when the scope closes. */
export const make = (
  { clean, host, open, post, subscribeTimeout }: Wire,
  settings: Settings
): Effect.Effect<RpcTransport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const subscribe = yield* Subscriptions.make({
      host,
      clean,
      open,
      unread: { items: settings.maxQueuedNotifications, bytes: settings.maxQueuedBytes },
      maxMessageBytes: settings.maxNotificationBytes,
      perSocket: settings.maxSubscriptionsPerSocket,
      timeout: subscribeTimeout
    })
    const closing = yield* Closing.make()
    const limits = ReplyLimits.make(settings)
    const read = HttpStatus.reader(host, clean)
    let nextId = 1

    const request: Direct.Request = Direct.over(
      post,
      (method, params) =>
        Effect.withFiberRuntime((fiber) => {
          if (closing.isClosed()) return Effect.fail(Closing.call(method, host))
          const id = nextId++
          return Effect.flatMap(post(method, JsonRpc.request(id, method, params), limits.one(method)), (reply) =>
            read.one(fiber, reply, id, method)
          )
        }),
      (start) => (caller, onEnd, method, params) => {
        if (closing.isClosed()) return undefined
        const id = nextId++
        return start(
          caller,
          (exit) => onEnd(Direct.read(exit, (reply) => read.one(caller.fiber, reply, id, method))),
          method,
          JsonRpc.request(id, method, params),
          limits.one(method)
        )
      }
    )

    const transport: RpcTransport = {
      host,
      request,
      batch: (calls) =>
        Effect.withFiberRuntime((fiber) => {
          if (calls.length === 0) return Effect.succeed([])
          if (closing.isClosed()) return Effect.fail(Closing.call("batch", host))
          const firstId = nextId
          nextId += calls.length
          return Effect.flatMap(post("batch", JsonRpc.batchRequest(firstId, calls), limits.many(calls)), (reply) =>
            read.many(fiber, reply, firstId, calls)
          )
        }),
      subscribe
    }
    return Shown.protect(transport, clean)
  })
