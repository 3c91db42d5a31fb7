/**
 * A bucket on loopback, written from the documentation of S3: path-style URLs, XML errors, and AWS Signature Version 4,
 * which it verifies with independent code.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export const KEY = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
} as const

const BUCKET = "/b-7f3a/"
const REGION = "us-east-1"
const SKEW = 900_000

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")
const hmac = (key: Uint8Array | string, text: string): Buffer => createHmac("sha256", key).update(text).digest()

export interface SignedRequest {
  readonly method: string
  /** Includes the query. The paths of payloads need no encoding. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/

/** True if the request is signed with the key; otherwise the code of S3's error. */
export const verify = ({ headers, method, path }: SignedRequest, region = REGION): true | string => {
  const found = AUTHORIZATION.exec(headers.authorization ?? "")
  if (found === null) return "AccessDenied"
  const [, accessKeyId, day = "", scope = "", names = "", signature = ""] = found
  const header = (name: string) => String(headers[name] ?? "")
  const date = header("x-amz-date")
  if (accessKeyId !== KEY.accessKeyId) return "InvalidAccessKeyId"
  if (scope !== region) return "AuthorizationHeaderMalformed"
  const signed = names.split(";")
  const isWhole = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))].every((name) =>
    signed.includes(name)
  )
  if (!isWhole || !date.startsWith(day)) return "SignatureDoesNotMatch"
  const [target = "", query = ""] = path.split("?")
  const canonical = [
    method,
    target,
    query,
    ...signed.map((name) => `${name}:${header(name).trim()}`),
    "",
    names,
    header("x-amz-content-sha256")
  ].join("\n")
  const text = ["AWS4-HMAC-SHA256", date, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join("\n")
  const key = ["s3", "aws4_request"].reduce(hmac, hmac(hmac(`AWS4${KEY.secretAccessKey}`, day), region))
  const expected = createHmac("sha256", key).update(text).digest()
  return timingSafeEqual(expected, Buffer.from(signature, "hex")) ? true : "SignatureDoesNotMatch"
}

const momentOf = (date: string): number =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))

const STATUS: Readonly<Record<string, number | undefined>> = {
  NoSuchKey: 404,
  NoSuchBucket: 404,
  AuthorizationHeaderMalformed: 400,
  XAmzContentSHA256Mismatch: 400,
  EntityTooLarge: 400,
  SlowDown: 503,
  XMinioStorageFull: 507
}

export interface Bucket {
  readonly url: string
  readonly objects: Map<string, Buffer>
  /** Error codes for the next requests. */
  readonly failures: Array<string>
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

const answer = async (
  { failures, objects }: Bucket,
  now: number,
  request: IncomingMessage,
  response: ServerResponse
) => {
  const body = await bodyOf(request)
  const { headers, method = "", url: path = "" } = request
  const fail = (code: string) => {
    const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no</Message><StringToSign>${"0a ".repeat(700)}</StringToSign></Error>`
    response.writeHead(STATUS[code] ?? 403, { "content-type": "application/xml" })
    response.end(method === "HEAD" ? "" : text)
  }
  const failure = failures.shift()
  if (failure !== undefined) return fail(failure)
  const verdict = verify({ method, path, headers })
  if (verdict !== true) return fail(verdict)
  if (Math.abs(now - momentOf(String(headers["x-amz-date"]))) > SKEW) return fail("RequestTimeTooSkewed")
  if (headers["x-amz-content-sha256"] !== sha256(body)) return fail("XAmzContentSHA256Mismatch")
  if (!path.startsWith(BUCKET)) return fail("NoSuchBucket")
  const found = objects.get(path)
  switch (method) {
    case "PUT":
      objects.set(path, body)
      return response.end()
    case "DELETE":
      objects.delete(path)
      return response.writeHead(204).end()
    default:
      if (found === undefined) return fail("NoSuchKey")
      response.writeHead(200, {
        "content-length": found.length,
        etag: `"${createHash("md5").update(found).digest("hex")}"`
      })
      return response.end(method === "HEAD" ? undefined : found)
  }
}

/** A new bucket. `now` is its clock, in Unix milliseconds. */
export const bucketAt = (now: () => number): Effect.Effect<Bucket, never, Scope.Scope> =>
  Effect.gen(function* () {
    const objects = new Map<string, Buffer>()
    const failures: Array<string> = []
    let made: Bucket | undefined
    const server = createServer((request, response) => {
      if (made !== undefined) void answer(made, now(), request, response)
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return (made = { url: `http://127.0.0.1:${port}${BUCKET}p-1`, objects, failures })
  })

/** A new bucket. */
export const bucket: Effect.Effect<Bucket, never, Scope.Scope> = bucketAt(Date.now)
