/**
 * The options of a cache, and their checks.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import type { AccountTag } from "../../src/protocol/Account.js"

/**
 * Which levels a read uses, and in which order.
 *
 * - `cache-first`: a value within its time to live, else the network.
 * - `network-first`: the network. If it fails with a retryable error, a value at most `maxStale` past its time to live.
 * - `stale-while-revalidate`: a value at most `maxStale` past its time to live, at once, while one refresh runs in the
 *   background.
 * - `bypass`: the network, as without a cache. Nothing is stored.
 *
 * No policy returns a value older than an invalidation.
 *
 * @since 0.1.0
 * @category models
 */
export type Policy = "cache-first" | "network-first" | "stale-while-revalidate" | "bypass"

/**
 * The options of a cache.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum bytes of the first level, bookkeeping included. Default 64 MiB (67,108,864). Too low: hot values are evicted.
   * Too high: the process uses that much memory.
   */
  readonly maxBytes?: number | undefined
  /** Maximum entries of the first level, 1 to 10,000,000. Default 100,000. Too low or too high: as `maxBytes`. */
  readonly maxEntries?: number | undefined
  /**
   * How long an account is served without a new read, by its kind. `Infinity`: for ever. Defaults: agents 5 minutes,
   * channels 1 minute, direct messages 10 minutes, channel messages `Infinity` (they never change), participants,
   * invitations and escrows 30 seconds. Too low: more calls. Too high: changes by others are seen late.
   */
  readonly ttl?: { readonly [Tag in AccountTag]?: Duration.DurationInput | undefined } | undefined
  /**
   * How long an absent account stays absent. Default 5 seconds. Too low: more calls. Too high: a new account is seen
   * late.
   */
  readonly negativeTtl?: Duration.DurationInput | undefined
  /**
   * How long past its time to live a value may be served: by `stale-while-revalidate`, and by `network-first` if the
   * network fails. Default 1 minute. Too low: both wait for the network. Too high: old values are served during an
   * outage.
   */
  readonly maxStale?: Duration.DurationInput | undefined
  /**
   * How long an account or a tagged value is served while it may have changed unnoticed, because a feed of changes is
   * behind: see `CacheInvalidator`. Default 30 seconds, or the time to live if that is shorter. Too low: many calls
   * while the feed is behind. Too high: changes of that time are seen late.
   */
  readonly uncoveredTtl?: Duration.DurationInput | undefined
  /** The policy of reads without their own, for all kinds or by kind. Default `cache-first`. */
  readonly policy?: Policy | { readonly [Tag in AccountTag]?: Policy | undefined } | undefined
  /**
   * How long a read waits for an endpoint to reach the slot of an invalidation, 100 ms to 10 minutes. Default 10
   * seconds. The caller's `Deadline` may end the wait earlier. Too low: reads fail while an endpoint lags. Too high:
   * they wait for a stalled endpoint.
   */
  readonly catchUp?: Duration.DurationInput | undefined
}

/** Checked options, in milliseconds. */
export interface Settings {
  readonly maxBytes: number
  readonly maxEntries: number
  readonly ttl: { readonly [Tag in AccountTag]: number }
  readonly negativeTtl: number
  readonly maxStale: number
  readonly uncoveredTtl: number
  readonly policy: { readonly [Tag in AccountTag]: Policy }
  readonly catchUp: number
}

/**
 * The default options.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults = {
  maxBytes: 64 * 1024 * 1024,
  maxEntries: 100_000,
  ttl: {
    AgentAccount: "5 minutes",
    DirectMessage: "10 minutes",
    ChannelAccount: "1 minute",
    ChannelParticipant: "30 seconds",
    ChannelInvitation: "30 seconds",
    ChannelMessage: Infinity,
    EscrowAccount: "30 seconds"
  },
  negativeTtl: "5 seconds",
  maxStale: "1 minute",
  uncoveredTtl: "30 seconds",
  policy: "cache-first",
  catchUp: "10 seconds"
} as const satisfies Options

const MAX_ENTRIES = 10_000_000

const POLICIES: ReadonlySet<string> = new Set<Policy>([
  "cache-first",
  "network-first",
  "stale-while-revalidate",
  "bypass"
])

/** Checks a policy of a caller without types. */
export const policy = (field: string, value: Policy): Either.Either<Policy, InvalidInput> =>
  POLICIES.has(value)
    ? Either.right(value)
    : Either.left(new InvalidInput({ field, rule: `must be one of ${[...POLICIES].join(", ")}` }))

/** Applies a function to each kind of account. Refuses an unknown kind. */
const forEachKind = <A, B>(
  field: string,
  given: { readonly [Tag in AccountTag]?: A | undefined },
  base: { readonly [Tag in AccountTag]: A },
  check: (field: string, value: A) => Either.Either<B, InvalidInput>
): Either.Either<{ readonly [Tag in AccountTag]: B }, InvalidInput> => {
  for (const tag of Object.keys(given)) {
    if (!Object.hasOwn(base, tag)) {
      return Either.left(new InvalidInput({ field: `${field}.${tag}`, rule: "is not a kind of account" }))
    }
  }
  const of = (tag: AccountTag) => check(`${field}.${tag}`, given[tag] ?? base[tag])
  return Either.all({
    AgentAccount: of("AgentAccount"),
    DirectMessage: of("DirectMessage"),
    ChannelAccount: of("ChannelAccount"),
    ChannelParticipant: of("ChannelParticipant"),
    ChannelInvitation: of("ChannelInvitation"),
    ChannelMessage: of("ChannelMessage"),
    EscrowAccount: of("EscrowAccount")
  })
}

const all = <A>(value: A): { readonly [Tag in AccountTag]: A } => ({
  AgentAccount: value,
  DirectMessage: value,
  ChannelAccount: value,
  ChannelParticipant: value,
  ChannelInvitation: value,
  ChannelMessage: value,
  EscrowAccount: value
})

/** Fails with `InvalidInput` on the first option out of its range. */
export const check = (options: Options): Effect.Effect<Settings, InvalidInput> =>
  Effect.gen(function* () {
    const policies = options.policy ?? defaults.policy
    return {
      maxBytes: yield* Check.integer("maxBytes", options.maxBytes ?? defaults.maxBytes, 1),
      maxEntries: yield* Check.integer("maxEntries", options.maxEntries ?? defaults.maxEntries, 1, MAX_ENTRIES),
      ttl: yield* forEachKind<Duration.DurationInput, number>("ttl", options.ttl ?? {}, defaults.ttl, (field, ttl) =>
        Check.millis(field, ttl, "unlimited")
      ),
      negativeTtl: yield* Check.millis("negativeTtl", options.negativeTtl ?? defaults.negativeTtl),
      maxStale: yield* Check.millis("maxStale", options.maxStale ?? defaults.maxStale),
      uncoveredTtl: yield* Check.millis("uncoveredTtl", options.uncoveredTtl ?? defaults.uncoveredTtl),
      policy:
        typeof policies === "object"
          ? yield* forEachKind<Policy, Policy>("policy", policies, all(defaults.policy), policy)
          : all(yield* policy("policy", policies)),
      catchUp: yield* Check.millisBetween(
        "catchUp",
        options.catchUp ?? defaults.catchUp,
        100,
        Duration.toMillis("10 minutes")
      )
    }
  })
