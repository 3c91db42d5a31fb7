/**
 * Reads application values through the levels. Their version is a stamp: unique milliseconds, taken when the load of
 * the value began. So a value that was loading during its invalidation is older than its fence.
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../../src/internal/check.js"
import * as Utf8 from "../../src/internal/Utf8.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Clock from "../internal/clock.js"
import * as Call from "./Call.js"
import type { Entry } from "./Entry.js"
import * as Entries from "./Entry.js"
import type { Groups, Kind, Levels, Loaded } from "./Levels.js"
import * as Options from "./Options.js"
import { Reads } from "./Reads.js"

/**
 * The options of a namespace.
 *
 * @since 0.1.0
 * @category models
 */
export interface NamespaceOptions {
  /**
   * How long a value is served without a new load. `Infinity`: for ever. Default 5 minutes. Too low: more loads. Too
   * high: old values.
   */
  readonly ttl?: Duration.DurationInput | undefined
  /** The policy of `getOrLoad`. Default `cache-first`. */
  readonly policy?: Options.Policy | undefined
}

/**
 * The options of one value.
 *
 * @since 0.1.0
 * @category models
 */
export interface ValueOptions {
  /**
   * Tags that invalidate the value, at most 16. They have the form of keys, so `channel:7:messages` is also below the
   * path `channel:7`. Default none.
   */
  readonly tags?: ReadonlyArray<string> | undefined
}

/**
 * The target of an invalidation: one key, every value with a tag, or every value below a path. A path ends at the end
 * of a segment: `channel:7` covers `channel:7` and `channel:7:messages`, but not `channel:77`.
 *
 * @since 0.1.0
 * @category models
 */
export type Target = { readonly key: string } | { readonly tag: string } | { readonly prefix: string }

/**
 * Values of one type, under the application's own keys.
 *
 * A key is a text of 1 to 200 characters. Colons separate its segments, as in `channel:7:messages`. `InvalidInput` for
 * any other key, and for a value that its Schema does not encode to JSON.
 *
 * @since 0.1.0
 * @category models
 */
export interface Namespace<A> {
  /** The value, if the cache has one within its time to live. */
  readonly get: (key: string) => Effect.Effect<Option.Option<A>, InvalidInput>
  readonly set: (key: string, value: A, options?: ValueOptions) => Effect.Effect<void, InvalidInput>
  /**
   * The value, or the result of `load`, which is then kept. Concurrent callers share one load, which runs in the fiber
   * of the first. If that is interrupted, the load of the next caller runs. A failure fails only its own caller and is
   * not kept. The other callers then run their own loads. So do callers whose value was invalidated during each load for
   * the time `catchUp`: each returns its own value, which is not kept.
   */
  readonly getOrLoad: <E, R>(
    key: string,
    load: Effect.Effect<A, E, R>,
    options?: ValueOptions & Pick<Call.CallOptions, "policy" | "stale">
  ) => Effect.Effect<A, E | InvalidInput, R>
  /** After this, no new read returns such a value, and no earlier load is kept. */
  readonly invalidate: (target: Target) => Effect.Effect<void, InvalidInput>
}

const MAX_KEY = 200
const MAX_TAGS = 16
const MAX_SEGMENTS = 8
const NAME = /^[A-Za-z0-9_-]{1,32}$/

const defaults = { ttl: "5 minutes", policy: "cache-first" } as const satisfies NamespaceOptions

const text = (field: string, value: string): Either.Either<string, InvalidInput> =>
  typeof value === "string" && value.length >= 1 && value.length <= MAX_KEY && Utf8.isWellFormed(value)
    ? Either.right(value)
    : Either.left(
        new InvalidInput({
          field,
          rule: `must be a text of 1 to ${MAX_KEY} characters, without half of a surrogate pair`
        })
      )

/** A key or a path. */
const path = (field: string, value: string): Either.Either<string, InvalidInput> =>
  Either.flatMap(text(field, value), (path) =>
    path.split(":").length <= MAX_SEGMENTS
      ? Either.right(path)
      : Either.left(new InvalidInput({ field, rule: `must have at most ${MAX_SEGMENTS} segments between colons` }))
  )

const tagsOf = ({ tags = [] }: ValueOptions): Either.Either<ReadonlyArray<string>, InvalidInput> =>
  Either.flatMap(Check.items("tags", tags.length, MAX_TAGS), () =>
    Either.all(tags.map((tag, index) => path(`tags[${index}]`, tag)))
  )

/**
 * Groups of a tag and of the tags below a path, shared by all namespaces, and of the keys below a path in one
 * namespace.
 */
const tagGroup = (tag: string): string => `tag ${tag}`
const tagsGroup = (path: string): string => `tags ${path}`
const keysGroup = (namespace: string, path: string): string => `path ${namespace}:${path}`

/** All paths that end at the text or above it. */
const pathsOf = (text: string): ReadonlyArray<string> => {
  const paths: Array<string> = []
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) paths.push(text.slice(0, at))
  paths.push(text)
  return paths
}

const groupsOf = (namespace: string, key: string, tags: ReadonlyArray<string>): Groups => ({
  names: [
    ...pathsOf(key).map((path) => keysGroup(namespace, path)),
    ...new Set(tags.flatMap((tag) => [tagGroup(tag), ...pathsOf(tag).map(tagsGroup)]))
  ],
  isTracked: tags.length > 0
})

/** The content of a value's bytes. */
const Kept = Schema.parseJson(Schema.Struct({ tags: Schema.Array(Schema.String), value: Schema.Unknown }))

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

const kept = (bytes: Uint8Array | undefined): Option.Option<typeof Kept.Type> =>
  bytes === undefined ? Option.none() : Schema.decodeOption(Kept)(utf8.decoder.decode(bytes))

/** The namespaces of one cache. They share tags, stamps and budgets. */
export class Namespaces {
  readonly #levels: Levels
  readonly #reads: Reads<never>
  #stamp = 0n

  constructor(levels: Levels) {
    this.#levels = levels
    this.#reads = new Reads(levels)
  }

  /** Invalidates every value with the tag, in all namespaces. */
  invalidateTag(tag: string): Effect.Effect<void, InvalidInput> {
    return Effect.flatMap(path("tag", tag), (tag) => this.#raiseGroup(tagGroup(tag)))
  }

  /** Invalidates every value with a tag below the path, in all namespaces. */
  invalidateTags(prefix: string): Effect.Effect<void, InvalidInput> {
    return Effect.flatMap(path("prefix", prefix), (prefix) => this.#raiseGroup(tagsGroup(prefix)))
  }

  /** Invalidates all present values of both levels. */
  get forget(): Effect.Effect<void> {
    return Effect.withFiberRuntime((fiber) => this.#levels.forget(this.#next(fiber), Clock.wall(fiber)))
  }

  /** Continues behind the stamps of earlier processes. */
  get recall(): Effect.Effect<void> {
    return Effect.map(this.#levels.recall, (stamp) => {
      if (stamp > this.#stamp) this.#stamp = stamp
    })
  }

  make<A, I>(
    name: string,
    schema: Schema.Schema<A, I>,
    options: NamespaceOptions = {}
  ): Effect.Effect<Namespace<A>, InvalidInput> {
    return Effect.gen(this, function* () {
      if (!NAME.test(name)) {
        const rule = "must be 1 to 32 letters, digits, hyphens or underscores"
        return yield* new InvalidInput({ field: "name", rule })
      }
      const ttl = yield* Check.millis("ttl", options.ttl ?? defaults.ttl, "unlimited")
      const policy = yield* Options.policy("policy", options.policy ?? defaults.policy)
      const levels = this.#levels
      const decode = Schema.decodeUnknownOption(schema)
      const encode = Schema.encodeEither(schema)
      const kind: Kind<Option.Option<A>> = {
        name,
        space: "value",
        policy,
        ttlOf: () => ttl,
        groupsOf: (full, bytes) =>
          groupsOf(
            name,
            full.slice(name.length + 1),
            Option.match(kept(bytes), { onNone: () => [], onSome: ({ tags }) => tags })
          ),
        isSound: (full, entry) => Option.isSome(Entries.answer(full, entry, kind)),
        decode: (_, { bytes }) => Option.flatMap(kept(bytes), ({ value }) => decode(value))
      }
      const fullOf = (key: string) => `${name}:${key}`

      const bytesOf = (value: A, tags: ReadonlyArray<string>): Either.Either<Uint8Array, InvalidInput> =>
        encode(value).pipe(
          Either.flatMap((value) => Schema.encodeEither(Kept)({ tags, value })),
          Either.mapBoth({
            onLeft: () => new InvalidInput({ field: "value", rule: "must encode to JSON by its Schema" }),
            onRight: (json) => utf8.encoder.encode(json)
          })
        )

      /** The answer of a new value, kept with it so that it is not decoded again. */
      const answerOf = (full: string, entry: Entry): Option.Option<A> => Entries.answer(full, entry, kind)

      const get: Namespace<A>["get"] = (key) =>
        Effect.flatMap(path("key", key), () => {
          const full = fullOf(key)
          return Effect.withFiberRuntime<Option.Option<A>>((fiber) => {
            const now = Clock.moment(fiber)
            const entry = levels.hit(now, kind, full, {})
            if (entry !== undefined) {
              levels.count(fiber, "memory")
              return Effect.succeed(answerOf(full, entry))
            }
            return Effect.flatMap(this.#reads.fromStore(fiber, now, kind, full), (entry) => {
              const isFresh =
                entry !== undefined && Entries.age(Clock.moment(fiber), entry) < levels.coverage.ttlOf(entry)
              if (isFresh) levels.count(fiber, "store")
              return Effect.succeed(isFresh ? answerOf(full, entry) : Option.none())
            })
          })
        })

      const set: Namespace<A>["set"] = (key, value, options = {}) =>
        Effect.gen(this, function* () {
          yield* path("key", key)
          const tags = yield* tagsOf(options)
          const bytes = yield* bytesOf(value, tags)
          yield* Effect.withFiberRuntime<void>((fiber) => this.#put(fiber, kind, fullOf(key), bytes))
        })

      const getOrLoad: Namespace<A>["getOrLoad"] = (key, load, options = {}) =>
        Effect.gen(this, function* () {
          yield* path("key", key)
          const tags = yield* tagsOf(options)
          const call = yield* Call.check(options)
          return yield* this.#getOrLoad(kind, fullOf(key), call, load, (value) => bytesOf(value, tags))
        })

      const invalidate: Namespace<A>["invalidate"] = (target) => {
        if ("tag" in target) return this.invalidateTag(target.tag)
        return "prefix" in target
          ? Effect.flatMap(path("prefix", target.prefix), (path) => this.#raiseGroup(keysGroup(name, path)))
          : Effect.flatMap(path("key", target.key), (key) => this.#raise(fullOf(key)))
      }

      return { get, set, getOrLoad, invalidate }
    })
  }

  #getOrLoad<A, E, R>(
    kind: Kind<Option.Option<A>>,
    full: string,
    call: Call.CallOptions,
    load: Effect.Effect<A, E, R>,
    bytesOf: (value: A) => Either.Either<Uint8Array, InvalidInput>
  ): Effect.Effect<A, E | InvalidInput, R> {
    if ((call.policy ?? kind.policy) === "bypass") return load
    return Effect.contextWithEffect((context: Context.Context<R>) => {
      /** The result of this caller's own load, if it ran. */
      let own: Exit.Exit<A, E | InvalidInput> | undefined
      const ownLoad = Effect.withFiberRuntime<Loaded | "failed">((fiber) => {
        const version = this.#next(fiber)
        return Effect.map(Effect.exit(Effect.provide(load, context)), (exit) => {
          own = exit
          if (Exit.isFailure(exit)) return "failed"
          const bytes = bytesOf(exit.value)
          if (Either.isRight(bytes)) return { version, bytes: bytes.right, isKept: true }
          own = Exit.fail(bytes.left)
          return "failed"
        })
      })
      const source = { load: () => ownLoad, lagging: undefined }
      const read = Effect.withFiberRuntime<Entry | undefined>((fiber) =>
        this.#reads.read(fiber, kind, full, call, source)
      )
      return Effect.flatMap(read, (entry) => {
        const value = entry === undefined ? Option.none() : Entries.answer(full, entry, kind)
        if (Option.isSome(value)) return Effect.succeed(value.value)
        // The load of another caller failed. That failure is not returned here.
        return own ?? Effect.flatMap(ownLoad, () => own ?? load)
      })
    })
  }

  #put<A>(
    fiber: Fiber.RuntimeFiber<void>,
    kind: Kind<Option.Option<A>>,
    full: string,
    bytes: Uint8Array
  ): Effect.Effect<void> {
    const version = this.#next(fiber)
    const readAt = Clock.moment(fiber)
    const { isTracked, names: groups } = kind.groupsOf(full, bytes)
    // Loads in progress began earlier, so their values are older.
    this.#levels.fence("value", full, version)
    this.#levels.keep(full, {
      kind: kind.name,
      version,
      readAt,
      ttl: kind.ttlOf(bytes),
      bytes,
      groups,
      isTracked,
      isFenced: false,
      decoded: undefined
    })
    return this.#levels.write("value", full, { slot: version, readAt: readAt.wall, state: "value", value: bytes })
  }

  /** Raises the fence of one value. */
  #raise(full: string): Effect.Effect<void> {
    return Effect.withFiberRuntime((fiber) => {
      const stamp = this.#next(fiber)
      this.#levels.fence("value", full, stamp)
      return this.#levels.writeFence("value", full, stamp)
    })
  }

  #raiseGroup(group: string): Effect.Effect<void> {
    return Effect.withFiberRuntime((fiber) => {
      const stamp = this.#next(fiber)
      this.#levels.fences.value.raise(group, stamp)
      return this.#levels.writeFence("group", group, stamp)
    })
  }

  /** A stamp later than every earlier one, and than the fences of other processes, whose clocks may be ahead. */
  #next<A, E>(fiber: Fiber.RuntimeFiber<A, E>): bigint {
    const now = BigInt(Math.trunc(Clock.wall(fiber)))
    const { highest } = this.#levels.fences.value
    const last = highest > this.#stamp ? highest : this.#stamp
    this.#stamp = now > last ? now : last + 1n
    return this.#stamp
  }
}
