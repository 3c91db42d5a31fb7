/**
 * Makes requests over undici's own connections. It needs half the CPU time of an `HttpClient` over undici, and has a
 * body in memory only once, because it uses no stream.
 *
 * Invariants: an exchange ends exactly once, by a reply, an error or interruption. No callback throws, because undici's
 * parser calls them. It keeps at most the limit of a body.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Agent, type Dispatcher } from "undici"
import { MAX_STATED } from "../../services/internal/body.js"
import { cancelable } from "../../services/internal/hot.js"
import { Disconnected, type Exchange, Late, type Reply } from "./Exchange.js"

const ENOUGH = new Error("the rest of the reply is not needed")

const NO_BYTES = new Uint8Array(0)

/** Initial buffer in bytes for a body without a stated size. */
const FIRST_BYTES = 64 * 1024

/** Node fires a longer timer at once. */
const MAX_TIMEOUT = 2 ** 31 - 1

type Resume = (reply: Effect.Effect<Reply, Disconnected | Late>) => void

const headersOf = (raw: IncomingHttpHeaders): Reply["headers"] => {
  const headers: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(raw)) headers[name] = Array.isArray(value) ? value[0] : value
  return headers
}

class Handler implements Dispatcher.DispatchHandler {
  #resume: Resume | undefined
  readonly #bytesOf: ((status: number) => number) | undefined
  readonly #timer: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: Reply["headers"] = {}
  #limit = 0
  #bytes = NO_BYTES
  #size = 0

  /** `bytesOf`: as in `Limits`; undefined for a reply without a body, such as that to HEAD. */
  constructor(bytesOf: ((status: number) => number) | undefined, timeout: number, resume: Resume) {
    this.#bytesOf = bytesOf
    if (timeout <= MAX_TIMEOUT) this.#timer = setTimeout(() => this.abort(), timeout)
    this.#resume = resume
  }

  #end(reply: Effect.Effect<Reply, Disconnected | Late>): void {
    const resume = this.#resume
    this.#resume = undefined
    this.#bytes = NO_BYTES
    clearTimeout(this.#timer)
    resume?.(reply)
  }

  /** Aborts the exchange, after a timeout or an interruption. */
  abort(): void {
    this.#end(Effect.fail(new Late()))
    this.#controller?.abort(ENOUGH)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#resume === undefined) controller.abort(ENOUGH)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // An informational reply, such as 103, precedes the final one
    if (status < 200) return
    this.#status = status
    this.#headers = headersOf(headers)
    if (this.#bytesOf === undefined) return
    this.#limit = this.#bytesOf(status)
    const stated = Number(headers["content-length"] ?? 0)
    if (stated > this.#limit) this.#tooLong(controller)
    else if (stated > 0) this.#bytes = new Uint8Array(Math.min(stated, MAX_STATED))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#resume === undefined) return
    const size = this.#size + chunk.length
    if (size > this.#limit) return this.#tooLong(controller)
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(this.#limit, Math.max(size, 2 * this.#bytes.length, FIRST_BYTES)))
      larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#size)
    this.#size = size
  }

  #tooLong(controller: Dispatcher.DispatchController): void {
    this.#end(Effect.succeed({ status: this.#status, headers: this.#headers, body: undefined }))
    controller.abort(ENOUGH)
  }

  onResponseEnd(): void {
    const body = this.#bytes.subarray(0, this.#size)
    this.#end(Effect.succeed({ status: this.#status, headers: this.#headers, body }))
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    this.#end(Effect.fail(new Disconnected(cause)))
  }
}

/** Opens connections, which the scope closes. The caller must limit the time. */
export const make: Effect.Effect<Exchange, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => new Agent({ headersTimeout: 0, bodyTimeout: 0 })),
    (agent) => Effect.promise(() => agent.destroy())
  ),
  (agent): Exchange =>
    ({ body, headers, method, target }, { bytesOf, timeout }) =>
      cancelable((resume) => {
        const handler = new Handler(method === "HEAD" ? undefined : bytesOf, timeout, resume)
        agent.dispatch(
          {
            origin: target.origin,
            path: target.pathname + target.search,
            method,
            headers: body === undefined ? headers : { ...headers, "content-type": "application/octet-stream" },
            body: body ?? null
          },
          handler
        )
        return () => handler.abort()
      })
)
