/** Checks the options of the exporter. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as SafeText from "../../src/SafeText.js"
import * as Headers from "../internal/Headers.js"
import * as Url from "../internal/Url.js"
import * as Format from "./Format.js"
import type { Signal } from "./Model.js"
import type { Options } from "./Options.js"

const FORMATS = { "http/protobuf": Format.protobuf, "http/json": Format.json }

/** The URL of a signal. A signal's own URL is used unchanged; the common URL is the base of all. */
const urlOf = (options: Options, signal: Signal): Either.Either<URL, InvalidInput> => {
  const own = options.endpoints?.[signal]
  if (own !== undefined) return Url.http(`endpoints.${signal}`, own)
  return Either.map(Url.http("url", options.url), (url) => {
    const target = new URL(url)
    target.pathname = `${target.pathname.replace(/\/+$/, "")}/v1/${signal}`
    return target
  })
}

/** The values of headers, and the token after the scheme of an `Authorization`. */
const secretsOfHeaders = (headers: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.values(headers).flatMap((value) => [value, ...value.split(" ").filter(({ length }) => length > MAX_SCHEME)])

const MAX_SCHEME = 7

/** Minimum length of a secret. A shorter text would occur in ordinary words. */
const MIN_SECRET = 8

export const make = (options: Options) =>
  Effect.gen(function* () {
    const { protocol = "http/protobuf" } = options
    if (!Object.hasOwn(FORMATS, protocol)) {
      return yield* new InvalidInput({ field: "protocol", rule: "must be http/protobuf or http/json" })
    }
    const headers = yield* Headers.make(options.headers)
    const urls = yield* Either.all({
      traces: urlOf(options, "traces"),
      metrics: urlOf(options, "metrics"),
      logs: urlOf(options, "logs")
    })
    const secrets = (options.secrets ?? []).map((secret) =>
      Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
    )
    if (!secrets.every((secret) => typeof secret === "string" && secret.length >= MIN_SECRET)) {
      return yield* new InvalidInput({ field: "secrets", rule: `must be texts of at least ${MIN_SECRET} characters` })
    }
    return {
      format: FORMATS[protocol],
      headers,
      urls: Record.map(urls, (url) => ({ host: url.host, url: Redacted.make(url) })),
      secrets: [
        ...secrets,
        ...secretsOfHeaders(headers),
        ...Object.values(urls).flatMap(({ search }) => SafeText.secretsOf(`http://h/${search}`))
      ],
      maxSeries: yield* Check.integer("maxSeries", options.maxSeries ?? 2000, 1),
      maxBytes: yield* Check.integer("maxQueueBytes", options.maxQueueBytes ?? 8 * 1024 * 1024, 1024),
      maxBatch: yield* Check.integer("maxBatch", options.maxBatch ?? 1000, 1, 100_000),
      interval: yield* Check.millis("exportInterval", options.exportInterval ?? "5 seconds"),
      metricInterval: yield* Check.millis("metricInterval", options.metricInterval ?? "60 seconds"),
      timeout: yield* Check.millis("requestTimeout", options.requestTimeout ?? "10 seconds"),
      shutdownTimeout: yield* Check.millis("shutdownTimeout", options.shutdownTimeout ?? "3 seconds")
    }
  })
