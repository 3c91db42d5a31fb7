/**
 * Decides which calls of the SDK are traced. The decision precedes the span, so an unsampled call costs little more
 * than a call without a tracer.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Random from "./internal/random.js"

/**
 * Decides on calls that begin a trace. A call within a trace has spans if its parent is sampled.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Whether a trace that begins with this call (`Message.send`) is sampled. */
  readonly samples: (name: string) => boolean
}

/**
 * The sampling of traces. Without it, a tracer gets the spans of all calls.
 *
 * An unsampled call has no spans. The application's spans beneath it have a parent with `sampled: false`, and HTTP
 * requests that propagate a trace carry this flag.
 *
 * @example
 * ```ts
 * import * as Telemetry from "@pod-protocol/effect/services/Telemetry"
 *
 * // One trace of a hundred, and all registrations
 * export const sampling = Telemetry.layer({ ratio: 0.01, always: (name) => name === "Agent.register" })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Telemetry extends Context.Tag("@pod-protocol/effect/Telemetry")<Telemetry, Service>() {}

/**
 * Options of the sampling.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The share of sampled traces, from 0 to 1. Default 1. Too low: rare events are missed. Too high: spans cost CPU
   * time; those of a message cost about half as much as building and signing it.
   */
  readonly ratio?: number | undefined
  /** Whether traces that begin with this call are always sampled. Default: none. If it throws, `ratio` decides. */
  readonly always?: ((name: string) => boolean) | undefined
}

/**
 * A sampling with these options. `InvalidInput` for a `ratio` outside of 0 to 1.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, InvalidInput> => {
  const { always = () => false } = options
  const isAlways = (name: string): boolean =>
    Either.getOrElse(
      Either.try(() => always(name)),
      () => false
    )
  return Effect.map(Check.between("ratio", options.ratio ?? 1, 0, 1), (ratio) => ({
    samples: (name) => ratio === 1 || isAlways(name) || (ratio > 0 && Random.unsafeShare() < ratio)
  }))
}

/**
 * {@link make} as a layer. Provide it to the program that calls the SDK.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Telemetry, InvalidInput> => Layer.effect(Telemetry, make(options))

const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio"
]

const SAMPLER = "OTEL_TRACES_SAMPLER"
const ARGUMENT = "OTEL_TRACES_SAMPLER_ARG"

const optional = (name: string): Config.Config<string> =>
  Config.map(Config.option(Config.string(name)), (found) => Option.getOrElse(found, () => "").trim())

/**
 * The ratio of OpenTelemetry's variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`; 1 without them. With
 * every sampler, a call within a trace follows its parent.
 *
 * @since 0.1.0
 * @category config
 */
export const ratio: Config.Config<number> = /* @__PURE__ */ Config.suspend(() =>
  Config.mapOrFail(Config.all([optional(SAMPLER), optional(ARGUMENT)]), ([sampler, argument]) => {
    if (sampler === "") return Either.right(1)
    if (!SAMPLERS.includes(sampler)) {
      return Either.left(ConfigError.InvalidData([SAMPLER], `Expected one of ${SAMPLERS.join(", ")}`))
    }
    if (!sampler.endsWith("traceidratio")) return Either.right(sampler.endsWith("on") ? 1 : 0)
    const share = argument === "" ? 1 : Number(argument)
    return share >= 0 && share <= 1
      ? Either.right(share)
      : Either.left(ConfigError.InvalidData([ARGUMENT], "Expected a number from 0 to 1"))
  })
)

/**
 * As {@link layer}, with the ratio of {@link ratio}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<Telemetry, ConfigError.ConfigError> = /* @__PURE__ */ Layer.suspend(() =>
  Layer.effect(
    Telemetry,
    Effect.flatMap(ratio, (share) => Effect.orDie(make({ ratio: share })))
  )
)
