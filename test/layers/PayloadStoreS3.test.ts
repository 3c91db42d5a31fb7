import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as S3 from "../../layers/payloads/S3.js"
import * as PayloadStoreS3 from "../../layers/PayloadStoreS3.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Hash from "../../src/solana/Hash.js"
import { bucket, KEY, verify } from "../support/s3Server.js"

const hello = new TextEncoder().encode("hello")
const HELLO = Encoding.encodeHex(Hash.sha256(hello))

const at = (options: Partial<PayloadStoreS3.Options> & Pick<PayloadStoreS3.Options, "url">) =>
  PayloadStoreS3.make({ ...KEY, retries: 0, ...options })

describe("AWS Signature Version 4", () => {
  // Signed by botocore 1.43.11 at 2013-05-24T00:00:00Z.
  const signatures = [
    {
      method: "GET",
      url: `https://examplebucket.s3.amazonaws.com/${HELLO}`,
      region: "us-east-1",
      signature: "db167d64cd3febd4a26838c0d4776fbb97c6e73d40e1d33e7da9c16436055dd6"
    },
    {
      method: "PUT",
      url: `http://127.0.0.1:9000/bucket/a-b_c.d~e/${HELLO}`,
      region: "eu-central-1",
      signature: "03958b7b616dd301f1ea8f5b43ef2d3f3dcd28a72e09178a5f18bc657edc04c8"
    },
    {
      method: "DELETE",
      url: `https://examplebucket.s3.amazonaws.com/${HELLO}`,
      region: "us-east-1",
      token: "session+token/=",
      signature: "5946235669814340143715a62eff028a04de7fce2d13805af0e0ca0818103968"
    }
  ] as const

  it.effect.each(signatures)(
    "Given a request $method, When it is signed, Then the signature is botocore's",
    (request) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2013, 4, 24))
        const { authorize } = S3.make(yield* S3.load, {
          region: request.region,
          accessKeyId: KEY.accessKeyId,
          secretAccessKey: Redacted.make(KEY.secretAccessKey),
          sessionToken: "token" in request ? Redacted.make(request.token) : undefined
        })
        const { authorization, ...headers } = yield* authorize(request.method, new URL(request.url), HELLO)
        expect(authorization).toContain(`Signature=${request.signature}`)
        expect(headers["x-amz-date"]).toBe("20130524T000000Z")
      })
  )

  it("Given the published example of S3, When the test's bucket verifies it, Then it is right, and no change of it is", () => {
    const headers = {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "x-amz-date": "20130524T000000Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, " +
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    }
    expect(verify({ method: "GET", path: "/test.txt", headers })).toBe(true)
    expect(verify({ method: "PUT", path: "/test.txt", headers })).toBe("SignatureDoesNotMatch")
    expect(verify({ method: "GET", path: "/test.tx", headers })).toBe("SignatureDoesNotMatch")
    expect(verify({ method: "GET", path: "/test.txt", headers: { ...headers, "x-amz-acl": "public" } })).toBe(
      "SignatureDoesNotMatch"
    )
  })
})

const clients = { fetch: FetchHttpClient.layer, undici: NodeHttpClient.layerUndici }

describe.each(Object.entries(clients))("PayloadStoreS3 over %s", (_, client) => {
  it.scopedLive("Given a bucket, When a payload is put, Then its object is named by its hash, and it can be read", () =>
    Effect.gen(function* () {
      const { objects, url } = yield* bucket
      const store = yield* at({ url })
      const long = new Uint8Array(300_000).fill(7)
      const hash = yield* store.put(hello)
      expect([...objects.keys()]).toEqual([`/b-7f3a/p-1/${HELLO}`])
      expect(yield* store.get(hash)).toEqual(hello)
      expect(Buffer.compare(yield* Effect.flatMap(store.put(long), store.get), long)).toBe(0)
      objects.set(`/b-7f3a/p-1/${HELLO}`, Buffer.from("hellO"))
      expect(yield* Effect.flip(store.get(hash))).toMatchObject({ reason: "HashMismatch" })
      yield* store.put(hello)
      expect(yield* store.get(hash)).toEqual(hello)
    }).pipe(Effect.provide(client))
  )
})

describe("PayloadStoreS3", () => {
  const errors = [
    ["NoSuchKey", "NotFound"],
    ["NoSuchBucket", "Refused"],
    ["AccessDenied", "Refused"],
    ["SlowDown", "Unavailable"],
    ["XAmzContentSHA256Mismatch", "Unavailable"],
    ["EntityTooLarge", "TooLarge"],
    ["XMinioStorageFull", "Full"],
    ["SomethingNew", "Refused"]
  ] as const

  it.scopedLive.each(errors)("Given the error %s of a bucket, When it is read, Then it is %s", ([code, reason]) =>
    Effect.gen(function* () {
      const { failures, url } = yield* bucket
      const store = yield* at({ url })
      failures.push(code)
      const error = yield* Effect.flip(store.get(Hash.sha256(hello)))
      expect(error).toMatchObject({ _tag: "PayloadStoreError", reason })
      if (reason === "Refused" || reason === "Unavailable") expect(error.message).toContain(code)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.scopedLive(
    "Given a bucket that is missing on a put, When a payload is put, Then it is Refused and not NotFound",
    () =>
      Effect.gen(function* () {
        const { failures, url } = yield* bucket
        const store = yield* at({ url })
        failures.push("NoSuchBucket")
        expect(yield* Effect.flip(store.put(hello))).toMatchObject({ reason: "Refused" })
      }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.scopedLive("Given a bucket that slows down, When a payload is put, Then it is put again", () =>
    Effect.gen(function* () {
      const { failures, objects, url } = yield* bucket
      const store = yield* at({ url, retries: 3 })
      failures.push("SlowDown", "XAmzContentSHA256Mismatch")
      yield* store.put(hello)
      expect(objects.size).toBe(1)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.scopedLive(
    "Given a wrong secret or region, When a payload is put, Then the error names what to check, and no secret",
    () =>
      Effect.gen(function* () {
        const { url } = yield* bucket
        for (const [wrong, hint] of [
          [{ secretAccessKey: "another-secret" }, "secret access key"],
          [{ region: "eu-west-1" }, "region"],
          [{ accessKeyId: "AKIDANOTHER" }, "access key"]
        ] as const) {
          const error = yield* Effect.flip(Effect.flatMap(at({ url, ...wrong }), (store) => store.put(hello)))
          expect(error).toMatchObject({ reason: "Refused" })
          expect(error.message).toContain(hint)
          expect(JSON.stringify(error)).not.toMatch(/another-secret|AKIDANOTHER|b-7f3a/)
        }
      }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("Given bad options, When it is made, Then each is named and no secret is shown", () =>
    Effect.gen(function* () {
      const url = "https://bucket.example"
      const cases: ReadonlyArray<readonly [field: string, options: Partial<PayloadStoreS3.Options>]> = [
        ["url", { url: "ftp://bucket.example" }],
        ["url", { url: "https://bucket.example/a+b" }],
        ["url", { url: "https://bucket.example/a%20b" }],
        ["url", { url: "https://bucket.example/?secret=s3cret" }],
        ["region", { region: "EU" }],
        ["accessKeyId", { accessKeyId: "" }],
        ["secretAccessKey", { secretAccessKey: "s3cret \n" }],
        ["sessionToken", { sessionToken: "s3cret\u00e9" }],
        ["maxBytes", { maxBytes: 0 }],
        ["retries", { retries: -1 }]
      ]
      for (const [field, options] of cases) {
        const error = yield* Effect.flip(at({ url, ...options }))
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
        expect(error.message).not.toContain("s3cret")
      }
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.scopedLive("Given the layer of the settings, When a payload is put, Then it is read", () =>
    Effect.gen(function* () {
      const { url } = yield* bucket
      const settings = new Map([
        ["POD_PAYLOAD_S3_URL", url],
        ["AWS_ACCESS_KEY_ID", KEY.accessKeyId],
        ["AWS_SECRET_ACCESS_KEY", KEY.secretAccessKey]
      ])
      const store = yield* PayloadStore.PayloadStore.pipe(
        Effect.provide(PayloadStoreS3.layerConfig),
        Effect.withConfigProvider(ConfigProvider.fromMap(settings))
      )
      expect(yield* Effect.flatMap(store.put(hello), store.get)).toEqual(hello)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
