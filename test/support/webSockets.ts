import * as Socket from "@effect/platform/Socket"
import * as Layer from "effect/Layer"
import { WebSocket } from "ws"

/** The constructor of `ws`, on each version of Node: that of Node 22 and later does not report the status of a refusal. */
export const ws: Layer.Layer<Socket.WebSocketConstructor> = Layer.succeed(
  Socket.WebSocketConstructor,
  (url, protocols) => new WebSocket(url, protocols) as unknown as globalThis.WebSocket
)
