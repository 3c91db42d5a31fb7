/**
 * What agents publish about themselves: the JSON document at an agent's `metadataUri`.
 *
 * Anyone may register any URI. So the document is fetched as from an attacker: over https from public addresses only, with
 * limits of size, time and redirects, and no part of it is trusted before its Schema has accepted it.
 *
 * `MetadataNode.layer` also checks the addresses that names lead to, where the connection is made. The layer of this module
 * runs on any `HttpClient`, and checks what a URI itself says: use it in browsers and edge workers, where a page reaches no
 * private network of a server.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Hash from "../src/solana/Hash.js"
import { Cache } from "./Cache.js"
import * as Hex from "./internal/hex.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced } from "./internal/traced.js"
import { MetadataError } from "./metadata/MetadataError.js"
import * as Target from "./metadata/Target.js"

export { MetadataError } from "./metadata/MetadataError.js"

const text = (maxLength: number) => SafeText.Schema(maxLength)

/** A link is shown, never followed by this package. */
const Link = text(2048).pipe(
  Schema.filter((link) => /^(?:https?|ipfs|ar):\/\/\S+$/i.test(link) || "an https:, http:, ipfs: or ar: URL")
)

const MAX_CAPABILITIES = 64

/**
 * An agent's description of itself. The protocol has no standard for it: only `name` is required, and fields that are not
 * listed here are ignored (`Service.document` gives them). Texts are cut to their lengths and made safe to show.
 *
 * @since 0.1.0
 * @category models
 */
export const AgentMetadata = Schema.Struct({
  /** At most 100 characters. */
  name: text(100).pipe(Schema.minLength(1)),
  /** At most 2,000 characters. */
  description: Schema.optional(text(2000)),
  /** URL of a picture. */
  image: Schema.optional(Link),
  /** URL of a page for people. */
  website: Schema.optional(Link),
  version: Schema.optional(text(50)),
  /** Names of what the agent can do, at most 64 of at most 64 characters. The bits on the chain are what searches read. */
  capabilities: Schema.optional(Schema.Array(text(64)).pipe(Schema.maxItems(MAX_CAPABILITIES)))
}).annotations({ identifier: "AgentMetadata" })

/**
 * An agent's description of itself.
 *
 * @since 0.1.0
 * @category models
 */
export type AgentMetadata = typeof AgentMetadata.Type

/**
 * The URI of a document, or an agent's account, which holds it.
 *
 * @since 0.1.0
 * @category models
 */
export type Source = string | { readonly metadataUri: string }

/**
 * Limits on what a URI from the chain may cost, and how long documents are kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum bytes of a document, after decompression. Default 65,536. Too low: long documents are `TooLarge`. Too high: each
   * agent can make this process read and keep as much.
   */
  readonly maxBytes?: number | undefined
  /**
   * Time from the first request to the last byte, with all redirects. Default 5 seconds. Too low: slow servers are
   * `Timeout`. Too high: a server that sends byte by byte holds a connection as long.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /** Maximum redirects, 0 to 20. Default 3. Too low: moved documents are `Redirect`. Too high: each costs a request. */
  readonly maxRedirects?: number | undefined
  /** Whether `http:` is allowed too. Default false: anyone on the way could change the document. */
  readonly allowHttp?: boolean | undefined
  /** Whether addresses of this machine are allowed, for tests. Default false. Other private addresses never are. */
  readonly allowLoopback?: boolean | undefined
  /** How long a `Cache` in context serves a document. Default 1 hour. Too low: more requests. Too high: old documents. */
  readonly ttl?: Duration.DurationInput | undefined
  /**
   * How long a `Cache` in context repeats a failure. Default 1 minute. Too low: a dead server is asked by each read. Too
   * high: a repaired document is noticed late.
   */
  readonly negativeTtl?: Duration.DurationInput | undefined
}

/**
 * The operations.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The description of an agent. */
  readonly get: (source: Source) => Effect.Effect<AgentMetadata, MetadataError>
  /** The whole JSON document, for a Schema of one's own. Its texts are not made safe to show. */
  readonly document: (source: Source) => Effect.Effect<unknown, MetadataError>
}

/**
 * The metadata of agents.
 *
 * @example
 * ```ts
 * import { Agent, Metadata } from "@pod-protocol/effect"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * export const nameOf = (wallet: Address) =>
 *   Effect.gen(function* () {
 *     const agents = yield* Agent.Agent
 *     const metadata = yield* Metadata.Metadata
 *     const { account } = yield* agents.get(wallet)
 *     const { name } = yield* metadata.get(account)
 *     return name
 *   })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Metadata extends Context.Tag("@pod-protocol/effect/Metadata")<Metadata, Service>() {}

const MAX_REDIRECTS = 20

const decode = Schema.decodeUnknownEither(AgentMetadata)

const uriOf = (source: Source): string => (typeof source === "string" ? source : source.metadataUri)

/** Loaded on use: most applications fetch no metadata, and HTTP is a heavy module. */
const loaded = Effect.promise(() => import("./metadata/Document.js"))

type Load = (uri: string, url: URL) => Effect.Effect<unknown, MetadataError>

/** Documents and failures from the cache. Their keys are hashes, since a URI may hold a key to its server. */
const cached = (
  { namespace }: Cache["Type"],
  load: Load,
  { negativeTtl, ttl }: { readonly ttl: number; readonly negativeTtl: number }
): Effect.Effect<Load, InvalidInput> =>
  Effect.gen(function* () {
    const documents = yield* namespace("metadata", Schema.Unknown, { ttl })
    const failures = yield* namespace("metadata-failures", MetadataError, { ttl: negativeTtl })
    return (uri, url) => {
      const key = Hex.encode(Hash.sha256(new TextEncoder().encode(uri)))
      const loadNew = Effect.flatMap(
        failures.get(key),
        Option.match({
          onSome: (error) => Effect.fail(error),
          onNone: () => Effect.tapError(load(uri, url), (error) => failures.set(key, error))
        })
      )
      return Effect.catchTag(documents.getOrLoad(key, loadNew), "InvalidInput", Effect.die)
    }
  })

/**
 * Builds the service over the `HttpClient` in context. `InvalidInput` for an option out of its range. A `Cache` in context
 * keeps documents and failures, and shares one request among callers of one URI at the same time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, InvalidInput, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const { allowHttp = false, allowLoopback = false } = options
    const limits = {
      allowHttp,
      allowLoopback,
      maxBytes: yield* Check.integer("maxBytes", options.maxBytes ?? 65_536, 1),
      timeout: yield* Check.millis("timeout", options.timeout ?? "5 seconds"),
      maxRedirects: yield* Check.integer("maxRedirects", options.maxRedirects ?? 3, 0, MAX_REDIRECTS)
    }
    const ttl = yield* Check.millis("ttl", options.ttl ?? "1 hour", "unlimited")
    const negativeTtl = yield* Check.millis("negativeTtl", options.negativeTtl ?? "1 minute", "unlimited")
    const cache = yield* Effect.serviceOption(Cache)
    const Document = yield* loaded
    const fetch = yield* Document.make(limits)
    const asked: Load = (_, url) => fetch(url)
    const load = Option.isNone(cache) ? asked : yield* cached(cache.value, asked, { ttl, negativeTtl })

    const document = (source: Source) =>
      Effect.suspend(() => {
        const uri = uriOf(source)
        return Either.match(Target.parse(uri, limits), {
          onLeft: (refusal) => Effect.fail(new MetadataError(refusal)),
          onRight: (url) => traced("Metadata.document", { "server.address": url.hostname })(load(uri, url))
        })
      })

    return Metadata.of({
      document,
      get: (source) =>
        Effect.flatMap(document(source), (found) =>
          Either.mapLeft(decode(found), (error) => new MetadataError({ reason: "Schema", detail: shapeOf(error) }))
        ).pipe(traced("Metadata.get"))
    })
  })

/** Where a document has another shape, and what is expected there. No value of it is shown. */
const shapeOf = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const path = issue === undefined || issue.path.length === 0 ? "the document" : issue.path.map(String).join(".")
  return `${path} is ${issue?._tag === "Missing" ? "missing" : "of another shape"}`
}

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Metadata, InvalidInput, HttpClient.HttpClient> =>
  Layer.effect(Metadata, make(options))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Metadata> => TestLayer.layer(Metadata, stubs)
