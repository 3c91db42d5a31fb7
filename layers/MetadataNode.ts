/**
 * `Metadata` on Node, which connects to public addresses only.
 *
 * The addresses of a name are checked when the connection is made, and the connection goes to a checked address. So DNS
 * rebinding (a name that resolves to a public address first and to a private one later) reaches no private host. Each
 * redirect is checked in the same way. Proxies of the environment are not used.
 *
 * @since 0.1.0
 */
import { lookup } from "node:dns"
import { isIP, type LookupFunction } from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Agent, buildConnector, fetch, type Response as Reply } from "undici"
import * as Metadata from "../services/Metadata.js"
import { REFUSED_ADDRESS } from "../services/metadata/refusedAddress.js"
import * as Target from "../services/metadata/Target.js"
import type { InvalidInput } from "../src/InvalidInput.js"

/**
 * Resolves a name to its addresses.
 *
 * @since 0.1.0
 * @category models
 */
export type Resolve = (name: string) => Effect.Effect<ReadonlyArray<string>, Error>

/**
 * The options of `Metadata`, and the resolver.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Metadata.Options {
  /** Resolves a name, once for each connection. Default: the system's resolver, through `node:dns`. */
  readonly resolve?: Resolve | undefined
}

const MAX_CONNECTIONS = 32

/** Idle connections are closed after this time in milliseconds: most hosts get one request. */
const KEEP_ALIVE = 4000

const systemResolve: Resolve = (name) =>
  Effect.async((resume) => {
    lookup(name, { all: true }, (error, found) =>
      resume(error === null ? Effect.succeed(found.map(({ address }) => address)) : Effect.fail(error))
    )
  })

const refused = (): Error =>
  Object.assign(new Error("the address is not public: nothing was sent to it"), { code: REFUSED_ADDRESS })

/** A lookup that returns only allowed addresses. The socket connects to one of them without another lookup. */
const guarded =
  (resolve: Resolve, policy: Target.Policy): LookupFunction =>
  (name, options, callback) => {
    // A resolver that throws must not reach the connector.
    Effect.runCallback(
      Effect.suspend(() => resolve(name)),
      {
        onExit: (exit) => {
          if (exit._tag === "Failure") {
            const error = exit.cause._tag === "Fail" ? exit.cause.error : new Error("the name cannot be looked up")
            return callback(error, [])
          }
          const { family } = options
          const wanted = family === 4 || family === "IPv4" ? 4 : family === 6 || family === "IPv6" ? 6 : 0
          const addresses = exit.value
            .filter((address) => Target.isAllowed(address, policy))
            .map((address) => ({ address, family: isIP(address) }))
            .filter(({ family }) => family !== 0 && (wanted === 0 || family === wanted))
          const [first] = addresses
          if (first === undefined) return callback(refused(), [])
          return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
        }
      }
    )
  }

/** The connections of a client that reaches only allowed addresses. */
const connections = (resolve: Resolve, policy: Target.Policy): Effect.Effect<Agent, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const open = buildConnector({ lookup: guarded(resolve, policy) })
      return new Agent({
        connections: MAX_CONNECTIONS,
        keepAliveTimeout: KEEP_ALIVE,
        // The lookup does not run for a host that is an address.
        connect: (options, callback) => {
          const host = options.hostname.replace(/^\[|\]$/g, "")
          if (isIP(host) !== 0 && !Target.isAllowed(host, policy)) callback(refused(), null)
          else open(options, callback)
        }
      })
    }),
    (agent) => Effect.promise(() => agent.destroy())
  )

/** Statuses of replies that must not have a body: `Response` refuses one. */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])

/** Converts a reply of undici to the platform's `Response`. Their streams have different types. */
const responseOf = ({ body, headers, status }: Reply): Response => {
  const init = { status, headers: Object.fromEntries(headers) }
  if (body === null || BODILESS.has(status)) return new Response(null, init)
  const reader = body.getReader()
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason)
  })
  return new Response(stream, init)
}

/**
 * The service with its own connections. `InvalidInput` for an option out of its range.
 *
 * @example
 * ```ts
 * import { Cache } from "@pod-protocol/effect"
 * import * as MetadataNode from "@pod-protocol/effect/layers/MetadataNode"
 * import * as Layer from "effect/Layer"
 *
 * // Documents are kept for an hour, and failures for a minute.
 * export const MetadataLive = MetadataNode.layer().pipe(Layer.provideMerge(Cache.layerMemory()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Metadata.Metadata, InvalidInput> => {
  const { allowHttp = false, allowLoopback = false, resolve = systemResolve } = options
  const fetching = Layer.scoped(
    FetchHttpClient.Fetch,
    Effect.map(
      connections(resolve, { allowHttp, allowLoopback }),
      (dispatcher): typeof globalThis.fetch =>
        async (input, { headers, redirect, signal } = {}) => {
          const reply = await fetch(input instanceof Request ? input.url : input, {
            dispatcher,
            headers: Object.fromEntries(new Headers(headers)),
            ...(redirect === undefined ? {} : { redirect }),
            ...(signal === undefined ? {} : { signal })
          })
          return responseOf(reply)
        }
    )
  )
  return Metadata.layer(options).pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(fetching))
}
