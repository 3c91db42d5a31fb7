/**
 * Solana's subscriptions over sockets, whichever sockets these are.
 *
 * All state changes happen in the socket's callbacks, one after the other, so that no notification can fall between
 * two of them.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import * as Stream from "effect/Stream"
import * as Json from "../../src/solana/Json.js"
import { SubscriptionError } from "../RpcTransport.js"
import type { RpcTransport, SubscriptionKind } from "../RpcTransport.js"
import { SubscriptionObserver } from "../transport/SubscriptionObserver.js"
import * as JsonRpc from "./JsonRpc.js"

/**
 * How a socket came to its end, in one sentence.
 *
 * @since 0.1.0
 * @category models
 */
export interface Loss {
  readonly reason: "Connect" | "Closed" | "Decode"
  readonly detail: string
  readonly cause?: unknown
}

/**
 * What a socket tells its owner. Nothing after `onLost`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocketHandlers {
  readonly onOpen: () => void
  readonly onText: (text: string) => void
  readonly onLost: (loss: Loss) => void
}

/**
 * A WebSocket of text frames. `send` is called only after `onOpen`; `close` at any time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Socket {
  readonly send: (text: string) => void
  readonly close: () => void
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly host: string
  /** Starts to open a socket. */
  readonly open: (handlers: SocketHandlers) => Socket
  /** Notifications held for one subscriber. */
  readonly capacity: number
  /** How long to wait for the socket and the answer to the subscribe call. */
  readonly timeout: Duration.Duration
  /** Subscriptions on one socket; one more opens another socket. */
  readonly perSocket: number
}

interface Subscription {
  readonly kind: SubscriptionKind
  readonly params: ReadonlyArray<unknown>
  readonly mailbox: Mailbox.Mailbox<unknown, SubscriptionError>
  readonly answered: Deferred.Deferred<void, SubscriptionError>
}

interface Connection {
  readonly isAlive: () => boolean
  /** Subscribers that have not left. */
  readonly size: () => number
  readonly add: (subscription: Subscription) => void
  readonly remove: (subscription: Subscription) => void
}

const connect = ({ host, open, capacity }: Options): Connection => {
  let state: "opening" | "open" | "closed" = "opening"
  let nextRequest = 1
  /** Every subscriber that has not left. The socket closes with the last of them. */
  const subscribers = new Set<Subscription>()
  /** Subscribe calls without an answer, by request id. */
  const asked = new Map<number, Subscription>()
  /** By the node's subscription id. */
  const active = new Map<string, Subscription>()
  const idOf = new Map<Subscription, unknown>()
  /** Notifications that came before the answer that says whose they are. */
  let early: Array<{ readonly id: string; readonly result: unknown }> = []

  const end = (
    { kind, mailbox, answered }: Subscription,
    reason: SubscriptionError["reason"],
    detail: string,
    more: { readonly code?: number; readonly cause?: unknown } = {}
  ) => {
    const exit = Exit.fail(new SubscriptionError({ reason, method: `${kind}Subscribe`, host, detail, ...more }))
    mailbox.unsafeDone(exit)
    Deferred.unsafeDone(answered, exit)
  }

  const call = (method: string, params: ReadonlyArray<unknown>): number => {
    const request = nextRequest++
    socket.send(JsonRpc.request(request, method, params))
    return request
  }

  const subscribe = (subscription: Subscription) => {
    asked.set(call(`${subscription.kind}Subscribe`, subscription.params), subscription)
  }

  const unsubscribe = ({ kind }: Subscription, id: unknown) => call(`${kind}Unsubscribe`, [id])

  const leave = (subscription: Subscription) => {
    const id = idOf.get(subscription)
    if (id === undefined) return
    idOf.delete(subscription)
    active.delete(String(id))
    unsubscribe(subscription, id)
  }

  const deliver = (subscription: Subscription, result: unknown) => {
    if (subscription.mailbox.unsafeOffer(result)) return
    end(subscription, "Overflow", `the subscriber left ${capacity} notifications unread`)
    leave(subscription)
  }

  const close = () => {
    state = "closed"
    socket.close()
  }

  const onLost = ({ reason, detail, cause }: Loss) => {
    close()
    for (const subscription of subscribers) end(subscription, reason, detail, cause === undefined ? {} : { cause })
  }

  const onAnswer = ({ id: request, outcome }: JsonRpc.Response) => {
    const subscription = typeof request === "number" ? asked.get(request) : undefined
    if (subscription === undefined || typeof request !== "number") return
    asked.delete(request)
    if (Either.isLeft(outcome)) {
      end(subscription, "Refused", outcome.left.message, { code: outcome.left.code })
    } else if (subscribers.has(subscription)) {
      const id = String(outcome.right)
      active.set(id, subscription)
      idOf.set(subscription, outcome.right)
      Deferred.unsafeDone(subscription.answered, Exit.void)
      for (const notification of early) if (notification.id === id) deliver(subscription, notification.result)
      early = early.filter((notification) => notification.id !== id)
    } else {
      unsubscribe(subscription, outcome.right)
    }
    if (asked.size === 0) early = []
  }

  const onNotification = (params: { readonly [key: string]: unknown }) => {
    const id = String(params["subscription"])
    const result = params["result"]
    const subscription = active.get(id)
    if (subscription !== undefined) deliver(subscription, result)
    else if (asked.size > 0) early.push({ id, result })
    if (early.length > capacity) {
      onLost({ reason: "Closed", detail: `more than ${capacity} notifications came before their subscription` })
    }
  }

  const onText = (text: string) => {
    const message = Either.getOrUndefined(Json.parse(text))
    if (JsonRpc.isRecord(message) && JsonRpc.isRecord(message["params"])) return onNotification(message["params"])
    const answer = JsonRpc.response(message)
    if (answer !== undefined) return onAnswer(answer)
    onLost({ reason: "Decode", detail: `a message of ${text.length} characters is not JSON-RPC` })
  }

  const whileAlive =
    <A>(handler: (input: A) => void) =>
    (input: A) => {
      if (state !== "closed") handler(input)
    }

  const socket = open({
    onOpen: () => {
      if (state === "closed") return
      state = "open"
      for (const subscription of subscribers) subscribe(subscription)
    },
    onText: whileAlive(onText),
    onLost: whileAlive(onLost)
  })

  return {
    isAlive: () => state !== "closed",
    size: () => subscribers.size,
    add: (subscription) => {
      subscribers.add(subscription)
      if (state === "open") subscribe(subscription)
    },
    remove: (subscription) => {
      subscribers.delete(subscription)
      if (state === "closed") return
      leave(subscription)
      if (subscribers.size === 0) close()
    }
  }
}

/**
 * The `subscribe` of a transport. One socket serves as many subscriptions as `perSocket` says: it is opened by the first
 * of them and closed with the last, and after a loss the next subscriber opens another. That a subscription stands is
 * told to the `SubscriptionObserver` of its context.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): RpcTransport["subscribe"] => {
  let connections: ReadonlyArray<Connection> = []

  const vacancy = (): Connection => {
    connections = connections.filter((connection) => connection.isAlive())
    const free = connections.find((connection) => connection.size() < options.perSocket)
    if (free !== undefined) return free
    const opened = connect(options)
    connections = [...connections, opened]
    return opened
  }

  const acquire = (kind: SubscriptionKind, params: ReadonlyArray<unknown>) =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<unknown, SubscriptionError>({
        capacity: options.capacity,
        strategy: "dropping"
      })
      const answered = yield* Deferred.make<void, SubscriptionError>()
      const connection = vacancy()
      const subscription: Subscription = { kind, params, mailbox, answered }
      connection.add(subscription)
      return { connection, subscription }
    })

  return (kind, params) =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const { subscription } = yield* Effect.acquireRelease(acquire(kind, params), ({ connection, subscription }) =>
          Effect.sync(() => connection.remove(subscription))
        )
        yield* Deferred.await(subscription.answered).pipe(
          Effect.timeoutFail({
            duration: options.timeout,
            onTimeout: () =>
              new SubscriptionError({
                reason: "Timeout",
                method: `${kind}Subscribe`,
                host: options.host,
                detail: "the node did not answer in time"
              })
          })
        )
        const observer = yield* SubscriptionObserver
        yield* observer.established({ host: options.host })
        return Mailbox.toStream(subscription.mailbox)
      })
    )
}
