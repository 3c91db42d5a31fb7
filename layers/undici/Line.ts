/**
 * The interface of a line: an HTTP/1.1 connection, which carries one call at a time, or an HTTP/2 session, which
 * carries many.
 *
 * No function of a {@link Call} throws, because the parsers of undici and Node call them.
 */
import type { IncomingHttpHeaders } from "node:http"
import type { Protocol } from "./Connector.js"

/** One POST, from the queue to its end. It ends exactly once: by `onEnd`, by `onError`, or by its caller. */
export interface Call {
  readonly body: string
  /** The number of lines that received it. */
  sendings: number
  /** The call is in flight; `cancel` aborts it. */
  readonly onStart: (cancel: () => void) => void
  readonly onHead: (status: number, headers: IncomingHttpHeaders) => void
  readonly onData: (chunk: Buffer) => void
  readonly onEnd: () => void
  readonly onError: (error: Error) => void
}

/** The target of all calls to one endpoint. */
export interface Target {
  readonly origin: string
  readonly path: string
  readonly headers: { readonly [name: string]: string }
}

export interface Line {
  readonly protocol: Protocol
  /** The number of calls that the line can accept now. */
  readonly free: () => number
  readonly inFlight: () => number
  /** Whether calls should prefer another line: this one does not answer, or accepts nothing. */
  readonly isSuspect: () => boolean
  readonly send: (call: Call) => void
  /** Accepts no more calls and closes when the calls in flight have ended. */
  readonly retire: () => void
  readonly destroy: () => void
}

/** The events of a line, for its pool. */
export interface Events {
  /** The line's capacity or suspicion changed. */
  readonly onChange: () => void
  /** The server cannot have executed the call: another line may take it. */
  readonly onUnsent: (call: Call, error: Error) => void
  /** The line accepts no more calls; some may still be in flight. It may fire more than once. */
  readonly onLost: () => void
}
