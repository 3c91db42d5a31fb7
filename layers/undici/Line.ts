/**
 * What calls travel on: a connection of HTTP/1.1, which carries one at a time, or a session of HTTP/2, which carries many.
 *
 * No function of a {@link Call} throws: they are called from the parsers of undici and Node.
 */
import type { IncomingHttpHeaders } from "node:http"
import type { Protocol } from "./Connector.js"

/** One POST, from the queue to its end. It ends once: by `onEnd`, by `onError`, or by its caller. */
export interface Call {
  readonly body: string
  /** How often it was handed to a line. */
  sendings: number
  /** It is on its way; `cancel` takes it back. */
  readonly onStart: (cancel: () => void) => void
  readonly onHead: (status: number, headers: IncomingHttpHeaders) => void
  readonly onData: (chunk: Buffer) => void
  readonly onEnd: () => void
  readonly onError: (error: Error) => void
}

/** How all calls to one endpoint are sent. */
export interface Target {
  readonly origin: string
  readonly path: string
  readonly headers: { readonly [name: string]: string }
}

export interface Line {
  readonly protocol: Protocol
  /** Calls that it can take now. */
  readonly free: () => number
  readonly inFlight: () => number
  /** Whether calls had better take another line: it does not answer, or takes nothing. */
  readonly isSuspect: () => boolean
  readonly send: (call: Call) => void
  /** Takes no call any more, and is lost when those in flight have ended. */
  readonly retire: () => void
  readonly destroy: () => void
}

/** What a line tells its pool. */
export interface Events {
  /** It may take a call again, or had better not. */
  readonly onChange: () => void
  /** The server cannot have executed the call: another line may take it. */
  readonly onUnsent: (call: Call, error: Error) => void
  /** It takes no call any more, though some may still be in flight. Told once or more. */
  readonly onLost: () => void
}
