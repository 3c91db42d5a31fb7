/**
 * Solana's subscriptions over WebSockets. The caller supplies the sockets.
 *
 * Invariants:
 * - Socket callbacks change the state, one callback after the other. So no notification is lost between two of them.
 * - A callback never throws. An exception in one closes the socket and fails its subscriptions.
 * - A message for no known subscription is counted and changes nothing else.
 * - The queue of each subscriber, and the notifications held before their subscription is known, are bounded in bytes
 *   and in number.
 *
 * Races that are excluded:
 * - A node sends a notification before the answer that names its subscription id. The notification is held until then.
 * - A node gives equal subscriptions on one socket the same id, and one unsubscribe call ends the id for all of them. So
 *   an id is released only after its last subscriber left, and after each pending subscribe call of its topic is answered.
 * - A subscriber leaves before its subscribe call is answered. The answer then releases the id.
 * - A subscriber comes while its socket is about to close as unused. Both steps are synchronous, so it finds the socket
 *   open, and the socket stays open, or it finds it closed, and opens another one.
 * - A subscriber comes while the scope closes. The test for a closed scope and the opening of a socket are one step, so
 *   no socket opens after the sockets were closed.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Outside from "../../src/internal/Outside.js"
import * as Json from "../../src/solana/Json.js"
import { BoundedQueue } from "../internal/BoundedQueue.js"
import type { Bounds } from "../internal/BoundedQueue.js"
import * as Closing from "../internal/closing.js"
import * as TimeLimit from "../internal/timeLimit.js"
import * as Metrics from "../Metrics.js"
import { SubscriptionError } from "../RpcTransport.js"
import type { RpcTransport, SubscriptionKind } from "../RpcTransport.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"
import * as JsonRpc from "./JsonRpc.js"

/** The reason for the end of a socket. `detail` is one sentence. */
export interface Loss {
  readonly reason: "Connect" | "Closed" | "Decode"
  readonly detail: string
  /** HTTP status of a refused handshake. */
  readonly status?: number | undefined
  readonly cause?: unknown
}

/**
 * The callbacks for the events of a socket. `onMessage` takes the data of a text or binary frame. `onLost` is the last
 * one. A callback never throws.
 */
export interface SocketHandlers {
  readonly onOpen: () => void
  readonly onMessage: (data: unknown) => void
  readonly onLost: (loss: Loss) => void
}

/** A WebSocket. `send` is called after `onOpen` only, `close` at any time. */
export interface Socket {
  readonly send: (text: string) => void
  readonly close: () => void
}

export interface Options {
  readonly host: string
  /** Removes secrets and control characters from a text. */
  readonly clean: Outside.Show
  /** Starts to open a socket. */
  readonly open: (handlers: SocketHandlers) => Socket
  /** Bounds of the notifications that are queued for one subscriber. */
  readonly unread: Bounds
  /** Maximum length of a message. A longer one closes the socket. */
  readonly maxMessageBytes: number
  /** How long a subscribe call may wait for its socket and its answer. */
  readonly timeout: Duration.Duration
  /** Maximum subscriptions on one socket. A further one opens another socket. */
  readonly perSocket: number
}

interface Subscription {
  readonly kind: SubscriptionKind
  readonly params: ReadonlyArray<unknown>
  /** The kind and the first parameter. Only subscriptions of one topic can share an id. */
  readonly topic: string
  readonly unread: BoundedQueue<unknown, SubscriptionError>
  readonly answered: Deferred.Deferred<void, SubscriptionError>
  /** The id that the node gave, while the subscription is open. */
  issued: Issued | undefined
}

/** An id that the node gave on this socket, and the subscribers that share it. */
interface Issued {
  readonly id: JsonRpc.Id
  readonly kind: SubscriptionKind
  readonly topic: string
  readonly subscribers: Set<Subscription>
}

/** A notification that arrived before the answer that names its subscription. */
interface Early {
  readonly key: string
  readonly result: unknown
  readonly bytes: number
}

interface Connection {
  readonly isAlive: () => boolean
  /** The number of subscribers or of unanswered calls, whichever is larger. */
  readonly size: () => number
  readonly isUnused: () => boolean
  /** The number of subscriptions since the socket was opened. */
  readonly uses: () => number
  readonly add: (subscription: Subscription) => void
  /** Ends a subscription. If it was the last one, the socket closes if it was not open, or if a large message came. */
  readonly remove: (subscription: Subscription) => void
  /** Closes the socket because it is unused or the transport closes. */
  readonly shut: () => void
}

/**
 * How long a socket without subscriptions stays open. A transaction that is alone in flight subscribes for about a second.
 * To open a socket for it costs 10 ms of CPU, and more over TLS. Too low: repeated handshakes. Too high: idle sockets.
 */
const LINGER = Duration.seconds(5)

/**
 * Maximum length of all messages to a socket without subscriptions. A node that goes on sending loses the socket. A socket
 * that had a longer message closes with its last subscription, since more of them may be on the way.
 */
const MAX_UNUSED_BYTES = 64 * 1024

/** Maximum ids that are remembered between an unsubscribe call and its answer. */
const MAX_ENDING = 1024

const utf8 = new TextDecoder()

/** The text of a frame. Some gateways send JSON in binary frames. */
const textOf = (data: unknown): string | undefined => {
  if (typeof data === "string") return data
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? utf8.decode(data) : undefined
}

const keyOf = (id: JsonRpc.Id): string => `${id}`

const connect = ({ clean, host, maxMessageBytes, open, unread }: Options): Connection => {
  let state: "opening" | "open" | "closed" = "opening"
  let nextRequest = 1
  let uses = 0
  let unusedBytes = 0
  let hadLargeMessage = false
  const subscribers = new Set<Subscription>()
  /** Unanswered subscribe calls, by request id. */
  const asked = new Map<number, Subscription>()
  /** The ids in use, by their text. */
  const issued = new Map<string, Issued>()
  /** Ids without a subscriber. They are released once no subscribe call of their topic is pending. */
  const idle = new Set<Issued>()
  /** Ids whose unsubscribe call is unanswered, by request id. Their notifications may still arrive. */
  const ending = new Map<number, string>()
  let early: Array<Early> = []
  let earlyBytes = 0
  let socket: Socket | undefined

  const isAlive = () => state !== "closed"

  /** The error for subscribers that come after the socket was closed. */
  let errorOf: ((subscription: Subscription) => SubscriptionError) | undefined

  const fail = ({ answered, unread }: Subscription, error: SubscriptionError) => {
    unread.end(Option.some(error))
    Deferred.unsafeDone(answered, Exit.fail(error))
  }

  const end = (
    subscription: Subscription,
    reason: SubscriptionError["reason"],
    detail: string,
    code?: number | undefined
  ) =>
    fail(subscription, new SubscriptionError({ reason, method: `${subscription.kind}Subscribe`, host, detail, code }))

  const close = () => {
    state = "closed"
    socket?.close()
  }

  const closeWith = (error: (subscription: Subscription) => SubscriptionError) => {
    if (state === "closed") return
    errorOf = error
    close()
    for (const subscription of subscribers) fail(subscription, error(subscription))
    asked.clear()
    issued.clear()
    idle.clear()
    ending.clear()
    early = []
  }

  const lose = ({ cause, detail, reason, status }: Loss) =>
    closeWith(
      ({ kind }) =>
        new SubscriptionError({
          reason,
          method: `${kind}Subscribe`,
          host,
          detail,
          status,
          cause
        })
    )

  /** Runs a step that foreign code calls, or that calls foreign code. An exception closes the socket. */
  const guarded = (run: () => void): void => {
    if (state === "closed") return
    const done = Either.try(run)
    if (Either.isRight(done)) return
    lose({ reason: "Decode", detail: "a message of the socket could not be handled", cause: done.left })
  }

  const call = (method: string, params: ReadonlyArray<unknown>): number => {
    const request = nextRequest++
    socket?.send(JsonRpc.request(request, method, params))
    return request
  }

  const subscribe = (subscription: Subscription) => {
    asked.set(call(`${subscription.kind}Subscribe`, subscription.params), subscription)
  }

  const isAsked = (topic: string): boolean => {
    for (const subscription of asked.values()) if (subscription.topic === topic) return true
    return false
  }

  /** Unsubscribes an id without subscribers, unless a pending subscribe call may be answered with the same id. */
  const release = (given: Issued) => {
    if (given.subscribers.size > 0) return void idle.delete(given)
    if (isAsked(given.topic)) return void idle.add(given)
    const key = keyOf(given.id)
    idle.delete(given)
    issued.delete(key)
    ending.set(call(`${given.kind}Unsubscribe`, [given.id]), key)
    if (ending.size > MAX_ENDING) for (const first of ending.keys()) return void ending.delete(first)
  }

  const leave = (subscription: Subscription) => {
    const given = subscription.issued
    if (given === undefined) return
    subscription.issued = undefined
    given.subscribers.delete(subscription)
    release(given)
  }

  const deliver = (given: Issued, result: unknown, bytes: number) => {
    for (const subscription of given.subscribers) {
      if (subscription.unread.offer(result, bytes)) continue
      const { size } = subscription.unread
      end(subscription, "Overflow", `the subscriber left ${size} notifications unread, more than its buffer holds`)
      leave(subscription)
    }
  }

  /** Opens a subscription under the id of its answer, and delivers the notifications that arrived before the answer. */
  const establish = (subscription: Subscription, id: JsonRpc.Id) => {
    const key = keyOf(id)
    const { kind, topic } = subscription
    const given = issued.get(key) ?? { id, kind, topic, subscribers: new Set() }
    issued.set(key, given)
    if (subscribers.has(subscription)) {
      given.subscribers.add(subscription)
      subscription.issued = given
      Deferred.unsafeDone(subscription.answered, Exit.void)
    }
    idle.add(given)
    const own = early.filter((notification) => notification.key === key)
    early = early.filter((notification) => notification.key !== key)
    for (const { result, bytes } of own) {
      earlyBytes -= bytes
      deliver(given, result, bytes)
    }
  }

  const onAnswer = ({ id: request, outcome }: JsonRpc.Response): boolean => {
    if (typeof request !== "number") return false
    if (ending.delete(request)) return true
    const subscription = asked.get(request)
    if (subscription === undefined) return false
    asked.delete(request)
    if (Either.isLeft(outcome)) {
      end(subscription, "Refused", outcome.left.message, outcome.left.code)
    } else if (JsonRpc.isId(outcome.right)) {
      establish(subscription, outcome.right)
    } else {
      lose({ reason: "Decode", detail: "the subscription id of the node is neither a number nor a string" })
    }
    for (const given of idle) release(given)
    if (asked.size === 0) {
      early = []
      earlyBytes = 0
    }
    return true
  }

  const onNotification = (id: JsonRpc.Id, result: unknown, bytes: number): boolean => {
    const key = keyOf(id)
    const given = issued.get(key)
    if (given !== undefined && given.subscribers.size > 0) {
      deliver(given, result, bytes)
      return true
    }
    if (given === undefined) for (const ended of ending.values()) if (ended === key) return true
    if (asked.size === 0) return given !== undefined
    early.push({ key, result, bytes })
    earlyBytes += bytes
    if (early.length > unread.items || (earlyBytes > unread.bytes && early.length > 1)) {
      lose({
        reason: "Closed",
        detail: `${early.length} notifications arrived before their subscription: the limit is exceeded`
      })
    }
    return true
  }

  /** Handles a message. False if it answers no call and belongs to no subscription of this socket. */
  const onText = (text: string): boolean => {
    const message = Either.getOrUndefined(Json.parse(text))
    if (!Predicate.isRecord(message)) return false
    const params = message["params"]
    if (Predicate.isRecord(params) && JsonRpc.isId(params["subscription"])) {
      return onNotification(params["subscription"], params["result"], text.length)
    }
    const answer = JsonRpc.response(message, clean)
    return answer !== undefined && onAnswer(answer)
  }

  const onMessage = (data: unknown) => {
    const text = textOf(data)
    if (text !== undefined && text.length > MAX_UNUSED_BYTES) hadLargeMessage = true
    if (subscribers.size === 0) {
      unusedBytes += text?.length ?? 0
      if (unusedBytes > MAX_UNUSED_BYTES) return close()
    }
    if (text !== undefined && text.length > maxMessageBytes) {
      return lose({
        reason: "Closed",
        detail: `a message is longer than ${maxMessageBytes} bytes: ask for less, or raise maxNotificationBytes`
      })
    }
    const excess = text === undefined ? undefined : Json.excess(text)
    if (excess !== undefined) return lose({ reason: "Decode", detail: `a message exceeds a limit: ${excess.message}` })
    if (text === undefined || !onText(text)) Metrics.socketMessagesIgnored.unsafeUpdate(1, [])
  }

  const opened = Either.try(() =>
    open({
      onOpen: () =>
        guarded(() => {
          state = "open"
          for (const subscription of subscribers) subscribe(subscription)
        }),
      onMessage: (data) => guarded(() => onMessage(data)),
      onLost: lose
    })
  )
  if (Either.isRight(opened)) {
    socket = opened.right
    if (!isAlive()) socket.close()
  } else {
    // The text of the exception may repeat the URL, and with it an API key.
    lose({ reason: "Connect", detail: "the WebSocket could not be created" })
  }

  return {
    isAlive,
    size: () => Math.max(subscribers.size, asked.size),
    isUnused: () => subscribers.size === 0,
    uses: () => uses,
    add: (subscription) => {
      uses++
      unusedBytes = 0
      if (errorOf !== undefined) return fail(subscription, errorOf(subscription))
      subscribers.add(subscription)
      if (state === "open") guarded(() => subscribe(subscription))
    },
    remove: (subscription) => {
      const wasOpen = subscription.issued !== undefined
      subscribers.delete(subscription)
      guarded(() => {
        leave(subscription)
        if (subscribers.size === 0 && (!wasOpen || hadLargeMessage)) close()
      })
    },
    shut: () => closeWith(({ kind }) => Closing.subscription(kind, host))
  }
}

/**
 * Makes the `subscribe` of a transport. A socket serves up to `perSocket` subscriptions. The first one opens it, and it
 * closes 5 to 10 seconds after the last one. After a loss, the next subscriber opens another socket. The
 * `SubscriptionObserver` in the context is called when a subscription is established. When the scope closes, every
 * subscription fails with `PoolClosed`.
 */
export const make = (options: Options): Effect.Effect<RpcTransport["subscribe"], never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => {
    let connections: ReadonlyArray<Connection> = []
    /** The sockets with a timer that closes them if they stay unused. */
    const lingering = new Set<Connection>()

    const closeUnused = (connection: Connection): Effect.Effect<void> =>
      Effect.suspend(() => {
        const before = connection.uses()
        return Effect.flatMap(Effect.sleep(LINGER), () => {
          if (connection.isUnused() && connection.isAlive() && connection.uses() !== before) {
            return closeUnused(connection)
          }
          lingering.delete(connection)
          return connection.isUnused() ? Effect.sync(connection.shut) : Effect.void
        })
      })

    const release = (connection: Connection, subscription: Subscription): Effect.Effect<void> =>
      Effect.suspend(() => {
        connection.remove(subscription)
        if (!connection.isUnused() || !connection.isAlive() || lingering.has(connection)) return Effect.void
        lingering.add(connection)
        return Effect.asVoid(Effect.forkIn(Effect.interruptible(closeUnused(connection)), scope))
      })

    const connectionWithRoom = (): Connection => {
      connections = connections.filter((connection) => connection.isAlive())
      const withRoom = connections.filter((connection) => connection.size() < options.perSocket)
      // One that is in use comes first, so that an unused one closes.
      const free = withRoom.find((connection) => !connection.isUnused()) ?? withRoom[0]
      if (free !== undefined) return free
      const opened = connect(options)
      connections = [...connections, opened]
      return opened
    }

    const acquire = (kind: SubscriptionKind, params: ReadonlyArray<unknown>, isClosed: () => boolean) =>
      Effect.flatMap(Deferred.make<void, SubscriptionError>(), (answered) => {
        if (isClosed()) return Effect.fail(Closing.subscription(kind, options.host))
        const connection = connectionWithRoom()
        const subscription: Subscription = {
          kind,
          params,
          topic: `${kind} ${Json.stringify(params[0])}`,
          unread: new BoundedQueue(options.unread),
          answered,
          issued: undefined
        }
        connection.add(subscription)
        return Effect.succeed({ connection, subscription })
      })

    return Effect.map(
      Closing.make(Effect.sync(() => connections.forEach(({ shut }) => shut()))),
      ({ isClosed }): RpcTransport["subscribe"] =>
        (kind, params) =>
          Stream.unwrapScoped(
            Effect.gen(function* () {
              const { subscription } = yield* Effect.acquireRelease(
                acquire(kind, params, isClosed),
                ({ connection, subscription }) => release(connection, subscription)
              )
              yield* Deferred.await(subscription.answered).pipe(
                TimeLimit.within(
                  options.timeout,
                  () =>
                    new SubscriptionError({
                      reason: "Timeout",
                      method: `${kind}Subscribe`,
                      host: options.host,
                      detail: "the node did not answer in time"
                    })
                )
              )
              const observer = yield* SubscriptionObserver
              yield* observer.established({ host: options.host })
              return subscription.unread.stream
            })
          )
    )
  })
