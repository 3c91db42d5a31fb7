/**
 * The JSON document that an agent publishes at its `metadataUri`.
 *
 * Anyone may register any URI, so the document is treated as hostile. It is fetched over https from public addresses,
 * with limits of size, time and redirects. No part of it is used before its Schema has accepted it.
 *
 * `MetadataNode.layer` also checks the addresses to which a name resolves, when the connection is made. The layer of
 * this module runs on any `HttpClient` and checks only the URI itself. Use it in browsers and edge workers, where a
 * page cannot reach the private network of a server.
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

/** This package only returns links and never follows them. */
const Link = text(2048).pipe(
  Schema.filter((link) => /^(?:https?|ipfs|ar):\/\/\S+$/i.test(link) || "an https:, http:, ipfs: or ar: URL")
)

const MAX_CAPABILITIES = 64

/**
 * An agent's description of itself. The protocol does not define its format: only `name` is required, and fields that
 * are not listed here are ignored (`Service.document` returns them). Texts are cut to their maximum length and made
 * safe to show.
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
  /**
   * Names of the agent's capabilities: at most 64, each of at most 64 characters. Searches use the bits on the chain
   * instead.
   */
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
 * The URI of a document, or an agent's account, which contains it.
 *
 * @since 0.1.0
 * @category models
 */
export type Source = string | { readonly metadataUri: string }

/**
 * Limits on the cost of a URI from the chain, and the times for which a cache keeps documents.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum bytes of a document, after decompression. Default 65,536. Too low: long documents are `TooLarge`. Too high:
   * each agent can make this process read and keep that much.
   */
  readonly maxBytes?: number | undefined
  /**
   * Time from the first request to the last byte, including redirects. Default 5 seconds. Too low: slow servers are
   * `Timeout`. Too high: a server that sends byte by byte holds a connection for that time.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Maximum redirects, 0 to 20. Default 3. Too low: moved documents fail with `Redirect`. Too high: each costs a
   * request.
   */
  readonly maxRedirects?: number | undefined
  /** Whether `http:` is allowed too. Default false: anyone on the network path could change the document. */
  readonly allowHttp?: boolean | undefined
  /**
   * Whether addresses of this machine are allowed, for tests. Default false. Other private addresses are never allowed.
   */
  readonly allowLoopback?: boolean | undefined
  /**
   * How long a `Cache` in context serves a document. Default 1 hour. Too low: more requests. Too high: old documents.
   */
  readonly ttl?: Duration.DurationInput | undefined
  /**
   * How long a `Cache` in context repeats a failure. Default 1 minute. Too low: each read asks a dead server again. Too
   * high: a repaired document is noticed late.
   */
  readonly negativeTtl?: Duration.DurationInput | undefined
}

/**
 * The operations of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Reads the description of an agent. */
  readonly get: (source: Source) => Effect.Effect<AgentMetadata, MetadataError>
  /** Reads the whole JSON document, for your own Schema. Its texts are not made safe to show. */
  readonly document: (source: Source) => Effect.Effect<unknown, MetadataError>
}

/**
 * Reads the metadata documents of agents.
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

/** Loaded on use, because most applications fetch no metadata and the HTTP modules are large. */
const loaded = Effect.promise(() => import("./metadata/Document.js"))

type Load = (uri: string, url: URL) => Effect.Effect<unknown, MetadataError>

/** Serves documents and failures from the cache. Their keys are hashes, because a URI may contain an API key. */
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
 * Builds the service from the `HttpClient` in context. `InvalidInput` for an option out of its range. A `Cache` in
 * context keeps documents and failures, and concurrent reads of one URI share one request.
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

/** The path of the first invalid field, and the expected shape. The text contains no value of the document. */
const shapeOf = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const path = issue === undefined || issue.path.length === 0 ? "the document" : issue.path.map(String).join(".")
  return `${path} is ${issue?._tag === "Missing" ? "missing" : "invalid"}`
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
