/**
 * One WebSocket connection: its subscriptions, and the same calls as over HTTP.
 *
 * As with Agave, equal subscriptions of a connection share one id, are notified once, and end with one unsubscribe
 * call.
 *
 * Invariants: a subscription's notifications follow the reply with its id; closing the connection ends its
 * subscriptions; a client that does not read is disconnected instead of losing notifications. After that its
 * subscriptions end at once, and its requests are not answered. While several arrays of a client are being answered, the
 * server reads no more from it: arrays arrive faster than they are answered, and each has megabytes.
 */
import { createHash } from "node:crypto"
import * as Socket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Json from "../../../src/solana/Json.js"
import type { Service } from "../Model.js"
import type { FeedKind, Sink } from "./Feeds.js"
import * as JsonRpc from "./JsonRpc.js"
import * as JsonRpcError from "./JsonRpcError.js"
import * as Subscriptions from "./methods/subscriptions.js"

/**
 * Maximum unsent bytes for a client that does not read. Above it the connection is closed, so no notification is lost
 * silently.
 */
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024

/** Messages of a connection that are answered at the same time before the server stops reading from it. */
const MAX_ANSWERED = 4

/** Close code of RFC 6455: the client breaks the server's rules. */
const POLICY_VIOLATION = 1008

const kindBySubscribe = new Map<string, FeedKind>(
  Subscriptions.KINDS.map((kind) => [`${kind}Subscribe`, kind] as const)
)
const unsubscribes = new Set<string>(Subscriptions.KINDS.map((kind) => `${kind}Unsubscribe`))

interface Held {
  readonly key: string
  readonly close: () => void
}

/** Serves a connection until it closes, then ends its subscriptions. `maxSubscriptions` bounds the distinct ones. */
export const run = (
  cluster: Service,
  socket: Socket.Socket,
  maxSubscriptions: number
): Effect.Effect<void, Socket.SocketError> =>
  Effect.suspend(() => {
    const subscriptions = new Map<number, Held>()
    const idOf = new Map<string, number>()
    let nextId = 0
    let answered = 0

    const forget = (id: number): void => {
      const held = subscriptions.get(id)
      if (held === undefined) return
      subscriptions.delete(id)
      idOf.delete(held.key)
      held.close()
    }

    /** `send` delays notifications until the subscribe call is answered. */
    const subscribe = (kind: FeedKind, params: ReadonlyArray<unknown>, send: (text: string) => void) => {
      // A hash, because a client may send a long text that its subscription does not need.
      const key = createHash("sha256")
        .update(`${kind} ${Json.stringify(params)}`)
        .digest("base64")
      const known = idOf.get(key)
      if (known !== undefined) return Effect.succeed(known)
      if (subscriptions.size >= maxSubscriptions) return Effect.fail(JsonRpcError.subscriptionLimit())
      const id = nextId++
      const sink: Sink = (result, last) => {
        if (last) forget(id)
        send(JsonRpc.notification(`${kind}Notification`, id, result))
      }
      return Effect.map(cluster.listen(kind, params, sink), ({ close, answer }) => {
        if (answer === undefined) {
          subscriptions.set(id, { key, close })
          idOf.set(key, id)
        } else sink(answer, true)
        return id
      })
    }

    const unsubscribe = (id: unknown) => {
      if (typeof id !== "number" || !subscriptions.has(id)) {
        return Effect.fail(JsonRpcError.params("Invalid subscription id."))
      }
      forget(id)
      return Effect.succeed(true)
    }

    const endAll = () => Array.from(subscriptions.keys()).forEach(forget)

    const sendWithin = (webSocket: WebSocket, text: string): void => {
      if (webSocket.readyState !== webSocket.OPEN) return
      if (webSocket.bufferedAmount <= MAX_BUFFERED_BYTES) return webSocket.send(text)
      webSocket.close(POLICY_VIOLATION, "the client does not read")
      endAll()
    }

    /**
     * Holds messages back until it is released. It is outside `handle`, so that a subscription does not retain the text
     * of a message.
     */
    const heldBack = (webSocket: WebSocket) => {
      const held: Array<string> = []
      let isReleased = false
      return {
        send: (text: string) => {
          if (isReleased) sendWithin(webSocket, text)
          else held.push(text)
        },
        release: () => {
          isReleased = true
          held.splice(0).forEach((text) => sendWithin(webSocket, text))
        }
      }
    }

    const handle = (text: string) =>
      Effect.gen(function* () {
        const webSocket = yield* connection
        if (webSocket.readyState !== webSocket.OPEN) return
        const { release, send } = heldBack(webSocket)
        if (++answered > MAX_ANSWERED) read(webSocket, "pause")
        const reply = yield* JsonRpc.answer(text, (method, params) => {
          const kind = kindBySubscribe.get(method)
          if (kind !== undefined) return subscribe(kind, params, send)
          return unsubscribes.has(method) ? unsubscribe(params[0]) : cluster.request(method, params)
        })
        if (--answered === MAX_ANSWERED) read(webSocket, "resume")
        if (reply !== undefined) sendWithin(webSocket, reply)
        release()
      })

    return socket
      .runRaw((message) => handle(typeof message === "string" ? message : decoder.decode(message)))
      .pipe(Effect.ensuring(Effect.sync(endAll)))
  })

/** Stops or continues reading. Only the sockets of `ws` can. */
const read = (webSocket: WebSocket, how: "pause" | "resume"): void => {
  const change: unknown = Reflect.get(webSocket, how)
  if (typeof change === "function") Reflect.apply(change, webSocket, [])
}

/** The current connection. `Socket.runRaw` always provides it to its handlers, although its type does not show it. */
const connection = Effect.flatMap(Effect.serviceOption(Socket.WebSocket), (found) =>
  Option.isSome(found) ? Effect.succeed(found.value) : Effect.dieMessage("a message has no connection")
)

const decoder = new TextDecoder()
