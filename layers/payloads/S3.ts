/**
 * The protocol of S3-compatible buckets. Requests are signed with AWS Signature Version 4 by `aws4fetch`.
 *
 * The hash of a payload is its key, and also the signed hash of its body. So a bucket refuses a body that was changed
 * on the network. Only `host` and `x-amz-*` headers are signed: a proxy may change others.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Clock from "../../services/internal/clock.js"
import type { PayloadStoreError } from "../../services/PayloadStore.js"
import type { Protocol, Refusal } from "./Remote.js"

export interface Credentials {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken: Redacted.Redacted | undefined
}

interface Signer {
  readonly sign: () => Promise<{ readonly headers: Headers }>
}

/** The used part of `aws4fetch`. */
export interface Aws {
  readonly AwsV4Signer: new (request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
    readonly service: string
    readonly region: string
    readonly datetime: string
    readonly cache: Map<string, ArrayBuffer>
  }) => Signer
}

const isAws = (module: unknown): module is Aws =>
  Predicate.hasProperty(module, "AwsV4Signer") && typeof module.AwsV4Signer === "function"

/** Typed as `string`, so that bundlers do not try to resolve an optional package. */
const PACKAGE: string = "aws4fetch"

/** The optional package. */
export const load: Effect.Effect<Aws, unknown> = Effect.tryPromise({
  try: (): Promise<unknown> => import(PACKAGE),
  catch: (cause) => cause
}).pipe(Effect.filterOrFail(isAws, () => undefined))

/** SHA-256 of the empty body. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/** `20130524T000000Z` */
const datetimeOf = (millis: number): string => new Date(millis).toISOString().replace(/[:-]|\.\d{3}/g, "")

const REASONS: Readonly<Record<string, PayloadStoreError["reason"] | undefined>> = {
  NoSuchKey: "NotFound",
  NoSuchBucket: "Refused",
  EntityTooLarge: "TooLarge",
  SlowDown: "Unavailable",
  RequestTimeout: "Unavailable",
  OperationAborted: "Unavailable",
  IncompleteBody: "Unavailable",
  BadDigest: "Unavailable",
  XAmzContentSHA256Mismatch: "Unavailable",
  QuotaExceeded: "Full",
  XMinioStorageFull: "Full"
}

const HINTS: Readonly<Record<string, string | undefined>> = {
  AccessDenied: "allow the key to read, write, remove and list: without list, a missing payload looks forbidden",
  AuthorizationHeaderMalformed: "check the region",
  InvalidAccessKeyId: "check the access key",
  NoSuchBucket: "check the URL",
  PermanentRedirect: "set the bucket's own URL",
  RequestTimeTooSkewed: "correct the clock of this machine",
  SignatureDoesNotMatch: "check the secret access key and the region"
}

const CODE = /<Code>([A-Za-z0-9]{1,64})<\/Code>/

const explain = (text: string): Refusal | undefined => {
  const code = CODE.exec(text)?.[1]
  if (code === undefined) return undefined
  const hint = Object.hasOwn(HINTS, code) ? HINTS[code] : undefined
  return {
    reason: Object.hasOwn(REASONS, code) ? REASONS[code] : undefined,
    detail: hint === undefined ? code : `${code}: ${hint}`
  }
}

export const make = ({ AwsV4Signer }: Aws, credentials: Credentials): Protocol => {
  const { accessKeyId, region, secretAccessKey, sessionToken } = credentials
  /** Signing keys are valid for a day. Only those of the last day are cached. */
  let keys = { day: "", cache: new Map<string, ArrayBuffer>() }
  const cacheOf = (day: string) => {
    if (keys.day !== day) keys = { day, cache: new Map() }
    return keys.cache
  }
  return {
    pathOf: (key) => `/${key}`,
    authorize: (method, target, key) =>
      Effect.flatMap(Clock.wallMillis, (now) =>
        Effect.tryPromise(async () => {
          const datetime = datetimeOf(now)
          const signer = new AwsV4Signer({
            method,
            url: target.href,
            headers: { "x-amz-content-sha256": method === "PUT" ? key : EMPTY },
            accessKeyId,
            secretAccessKey: Redacted.value(secretAccessKey),
            ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) }),
            service: "s3",
            region,
            datetime,
            cache: cacheOf(datetime.slice(0, 8))
          })
          const { headers } = await signer.sign()
          return Object.fromEntries(headers.entries())
        })
      ),
    explain
  }
}
