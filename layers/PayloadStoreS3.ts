/**
 * The `PayloadStore` in a bucket of S3, or of a compatible store (R2, MinIO, Ceph), over an `HttpClient` of
 * `@effect/platform`. It needs the optional package `aws4fetch` 1.0.20, which is loaded when the layer is built.
 *
 * The name of an object is the hash of its payload. A put overwrites the object, which also repairs a damaged one:
 * equal names mean equal bytes. The bucket keeps payloads until its own lifecycle rule removes them. Set the rule to 8
 * days after the creation.
 *
 * The key needs the permissions `GetObject`, `PutObject`, `DeleteObject` and `ListBucket`. Without the last, S3 answers
 * 403 for a missing object instead of 404, and the error is `Refused` instead of `NotFound`.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { make as makeStore, PayloadStore, type Service } from "../services/PayloadStore.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Setting from "./internal/Setting.js"
import * as Url from "./internal/Url.js"
import { limits, type LimitOptions } from "./payloads/HttpStore.js"

/**
 * The store cannot be built, because the optional package `aws4fetch` is not installed.
 *
 * @since 0.1.0
 * @category errors
 */
export class PayloadStoreS3Error extends printable(
  Schema.TaggedError<PayloadStoreS3Error>("@pod-protocol/effect/PayloadStoreS3Error")("PayloadStoreS3Error", {
    reason: Schema.Literal("MissingPackage"),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** Always false. */
  readonly isRetryable = false

  override get message(): string {
    return "A bucket needs the package aws4fetch to sign requests: install aws4fetch 1.0.20"
  }
}

/**
 * A bucket and its access key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends LimitOptions {
  /**
   * `https:` or `http:` URL of the bucket: `https://bucket.s3.eu-central-1.amazonaws.com`, or with the bucket in its
   * path, such as `https://minio.example/bucket`. A further path is a prefix of the objects' names. A path may have
   * letters, digits and `- . _ ~ /`. Errors and logs show only the host.
   */
  readonly url: string | Redacted.Redacted
  /** Region of the bucket. Default `us-east-1`; `auto` for R2. */
  readonly region?: string | undefined
  /** Identifier of the access key. */
  readonly accessKeyId: string | Redacted.Redacted
  /** Secret of the access key. Plain text is redacted at once. */
  readonly secretAccessKey: string | Redacted.Redacted
  /** Token of temporary credentials. Default: none. When they expire, build the layer again. */
  readonly sessionToken?: string | Redacted.Redacted | undefined
}

const PATH = /^[A-Za-z0-9\-._~/]*$/
const REGION = /^[a-z0-9-]{1,64}$/
const ACCESS_KEY = /^[\w.-]{1,256}$/
/** The characters of a header value. */
const SECRET = /^[\u0021-\u007e]{1,8192}$/

const text = (field: string, secret: Url.Secret, form: RegExp, rule: string): Either.Either<string, InvalidInput> => {
  const found = Url.textOf(secret)
  return found !== undefined && form.test(found) ? Either.right(found) : Either.left(new InvalidInput({ field, rule }))
}

const VISIBLE = "must be printable ASCII without blanks"

const bucket = (options: Options) =>
  Either.gen(function* () {
    const url = yield* Url.http("url", options.url)
    if (!PATH.test(url.pathname) || url.search !== "") {
      const rule = "must have a path of letters, digits and - . _ ~ / and no query"
      return yield* Either.left(new InvalidInput({ field: "url", rule }))
    }
    const { region = "us-east-1", sessionToken } = options
    const accessKeyId = yield* text("accessKeyId", options.accessKeyId, ACCESS_KEY, "must be the identifier of a key")
    const secretAccessKey = yield* text("secretAccessKey", options.secretAccessKey, SECRET, VISIBLE)
    const token = sessionToken === undefined ? undefined : yield* text("sessionToken", sessionToken, SECRET, VISIBLE)
    const secrets = [accessKeyId, secretAccessKey, ...(token === undefined ? [] : [token])]
    return {
      address: {
        host: url.host,
        url: Redacted.make(url),
        clean: SafeText.redactor([...SafeText.secretsOf(url.href), ...secrets])
      },
      credentials: {
        region: yield* text("region", region, REGION, "must be a region such as eu-central-1"),
        accessKeyId,
        secretAccessKey: Redacted.make(secretAccessKey),
        sessionToken: token === undefined ? undefined : Redacted.make(token)
      }
    }
  })

/**
 * Builds the store. An invalid option fails with `InvalidInput`, which names it. It connects with the first operation.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Service, InvalidInput | PayloadStoreS3Error, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const { address, credentials } = yield* bucket(options)
    const { maxBytes, retries, ...perRequest } = yield* limits(options)
    const [Exchange, Remote, Servers, S3] = yield* Effect.promise(() =>
      Promise.all([
        import("./payloads/Exchange.js"),
        import("./payloads/Remote.js"),
        import("./payloads/Servers.js"),
        import("./payloads/S3.js")
      ])
    )
    const aws = yield* Effect.mapError(S3.load, (cause) => new PayloadStoreS3Error({ reason: "MissingPackage", cause }))
    const exchange = yield* Exchange.overHttpClient
    const remote = Remote.make({ ...address, protocol: S3.make(aws, credentials) }, exchange, {
      maxBytes,
      ...perRequest
    })
    return makeStore(Servers.make([remote], { copies: 1, maxBytes, retries }))
  })

/**
 * The store as a Layer.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import { PayloadStoreS3 } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const Payloads = PayloadStoreS3.layer({
 *   url: "https://payloads.s3.eu-central-1.amazonaws.com",
 *   region: "eu-central-1",
 *   accessKeyId: "AKIAIOSFODNN7EXAMPLE",
 *   secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<PayloadStore, InvalidInput | PayloadStoreS3Error, HttpClient.HttpClient> =>
  Layer.effect(PayloadStore, make(options))

const secret = (name: string, expected: string): Setting.Setting<Redacted.Redacted> => ({
  name,
  expected,
  parse: (text) => Either.right(Redacted.make(text))
})

/**
 * The bucket in `POD_PAYLOAD_S3_URL`, with the standard variables `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
 * `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.map(
  Config.all({
    url: Setting.required(secret("POD_PAYLOAD_S3_URL", "the https: URL of a bucket")),
    region: Setting.withDefault(
      { name: "AWS_REGION", expected: "the region of the bucket", parse: (text) => Either.right(text) },
      "us-east-1"
    ),
    accessKeyId: Setting.required(secret("AWS_ACCESS_KEY_ID", "the identifier of a key")),
    secretAccessKey: Setting.required(secret("AWS_SECRET_ACCESS_KEY", "the secret of the key")),
    sessionToken: Setting.optional(secret("AWS_SESSION_TOKEN", "the token of temporary credentials"))
  }),
  ({ sessionToken, ...options }) => ({ ...options, sessionToken: Option.getOrUndefined(sessionToken) })
)

/**
 * As {@link layer}, with the bucket of {@link config}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  PayloadStore,
  ConfigError.ConfigError | InvalidInput | PayloadStoreS3Error,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
