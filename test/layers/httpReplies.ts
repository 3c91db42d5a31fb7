/** What every transport over HTTP must make of the same replies. */
import { inspect } from "node:util"
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { RpcError, RpcTransport } from "../../services/RpcTransport.js"
import type { Reply } from "../support/secure.js"

/** A server that replies as it is told, and a transport to it. */
export type Connect = (
  respond: (body: string) => Reply | undefined
) => Effect.Effect<RpcTransport, unknown, Scope.Scope>

const ids = (body: string): ReadonlyArray<number> => {
  const value: unknown = JSON.parse(body)
  return [value].flat().map((call) => (typeof call === "object" && call !== null && "id" in call ? Number(call.id) : 0))
}

const idOf = (body: string): number => ids(body)[0] ?? 0

const responseOf = (id: unknown, outcome: object) => JSON.stringify({ jsonrpc: "2.0", id, ...outcome })

const PREFLIGHT = {
  error: {
    code: -32002,
    message: "Transaction simulation failed",
    data: { err: { InstructionError: [0, { Custom: 6 }] }, logs: ["Program log: no"] }
  }
}

const STATUSES = [
  201, 400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 425, 429, 451, 499, 500, 501, 502, 503, 504
]

/** Brotli at a low quality: at the highest, a large text takes half a second. */
const brotli = (text: string): Buffer => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })

const failureOf = <A>(call: Effect.Effect<A, RpcError>): Effect.Effect<RpcError, A> => Effect.flip(call)

export const suite = (name: string, connect: Connect) =>
  describe(`replies over ${name}`, () => {
    it.scopedLive("Given the call's own error behind any status / When it is read / Then it is the node's answer", () =>
      Effect.gen(function* () {
        let status = 200
        const transport = yield* connect((body) => ({ status, body: responseOf(idOf(body), PREFLIGHT) }))
        for (status of [...STATUSES, 301, 307]) {
          const { code, data, detail, reason, ...error } = yield* failureOf(transport.request("sendTransaction", []))
          assert.deepStrictEqual(
            { code, data, detail, reason },
            {
              code: -32002,
              data: PREFLIGHT.error.data,
              detail: "Transaction simulation failed",
              reason: "Node"
            }
          )
          assert.strictEqual(error.status, status)
        }
      })
    )

    it.scopedLive("Given the call's own result behind any status / When it is read / Then it is the result", () =>
      Effect.gen(function* () {
        let status = 200
        const transport = yield* connect((body) => ({ status, body: responseOf(idOf(body), { result: 7 }) }))
        for (status of STATUSES) assert.strictEqual(yield* transport.request("getSlot", []), 7)
      })
    )

    it.scopedLive("Given an array answered behind any status / When it is read / Then each item is its own", () =>
      Effect.gen(function* () {
        let status = 200
        const transport = yield* connect((body) => {
          const [a, b] = ids(body)
          return { status, body: `[${responseOf(b, PREFLIGHT)},${responseOf(a, { result: "a" })}]` }
        })
        for (status of STATUSES) {
          const items = yield* transport.batch([
            { method: "getSlot", params: [] },
            { method: "sendTransaction", params: [] }
          ])
          assert.deepStrictEqual(
            items.map(
              Either.match({ onLeft: ({ code, method, reason }) => [reason, method, code], onRight: (a) => a })
            ),
            ["a", ["Node", "sendTransaction", -32002]]
          )
        }
      })
    )

    it.scopedLive(
      "Given a limit said by code or words under any status / When it is read / Then it is RateLimited",
      () =>
        Effect.gen(function* () {
          const limits: ReadonlyArray<readonly [code: number, message: string]> = [
            [429, "no"],
            [-32429, "no"],
            [-32097, "no"],
            [-32007, "15/second request limit reached - reduce calls per second"],
            [-32005, "Too many requests for a specific RPC call"],
            [-32603, "limit reached"]
          ]
          for (const [code, message] of limits) {
            for (const status of [200, 400, 500]) {
              const error = { error: { code, message } }
              const headers = { "retry-after": "7" }
              const whole = yield* connect((body) => ({ status, headers, body: responseOf(idOf(body), error) }))
              assert.deepInclude(yield* failureOf(whole.request("getSlot", [])), {
                reason: "RateLimited",
                code,
                detail: message,
                retryAfter: Duration.seconds(7)
              })
              const items = yield* connect((body) => {
                const [a, b] = ids(body)
                return { status, headers, body: `[${responseOf(a, { result: 1 })},${responseOf(b, error)}]` }
              })
              const [first, second] = yield* items.batch([
                { method: "getSlot", params: [] },
                { method: "getSlot", params: [] }
              ])
              assert.deepStrictEqual(first, Either.right(1))
              assert.deepInclude(Option.getOrThrow(Either.getLeft(second ?? Either.right(1))), {
                reason: "RateLimited",
                code,
                retryAfter: Duration.seconds(7)
              })
            }
          }
        })
    )

    it.scopedLive("Given a sentence instead of an answer / When it is read / Then the error quotes it, cleaned", () =>
      Effect.gen(function* () {
        let reply: Reply = { status: 401, body: "" }
        const transport = yield* connect(() => reply)
        const cases: ReadonlyArray<readonly [body: string, shown: string]> = [
          ["", "HTTP status 401"],
          ["the API key is missing", "HTTP status 401: the API key is missing"],
          ["a\u001b[2J\r\n\u0000b\u202ec", "HTTP status 401: a bc"],
          ['{"error":{"code":-32052,"message":"key not allowed"}}', "HTTP status 401: key not allowed"],
          [responseOf(null, { error: { code: 1, message: "no id" } }), "HTTP status 401: no id"],
          [responseOf(1e9, { error: { code: 1, message: "of another" } }), "HTTP status 401: of another"],
          ["no route /path-SECRET?api-key=key-SECRET", "HTTP status 401: no route <redacted>"],
          ["not key-SECRET but token-SECRET", "HTTP status 401: not <redacted> but <redacted>"]
        ]
        for (const [body, shown] of cases) {
          reply = { status: 401, body }
          const error = yield* failureOf(transport.request("getSlot", []))
          assert.deepInclude(error, { reason: "HttpStatus", status: 401, detail: shown })
          const whole = yield* failureOf(transport.batch([{ method: "getSlot", params: [] }]))
          assert.deepInclude(whole, { reason: "HttpStatus", method: "batch", status: 401, detail: shown })
          assert.notInclude(inspect([error, whole], { depth: 9 }), "SECRET")
        }
        reply = { status: 502, body: `${" ".repeat(4000)}${"x".repeat(90)}key-SECRET${"y".repeat(100_000)}` }
        const long = yield* failureOf(transport.request("getSlot", []))
        assert.isAtMost(long.detail.length, 400)
        assert.notInclude(long.detail, "key-S")
      })
    )

    it.scopedLive("Given a limit in the status / When it is read / Then it is RateLimited with the node's words", () =>
      Effect.gen(function* () {
        const transport = yield* connect((body) => ({
          status: 429,
          headers: { "retry-after": "7" },
          body: responseOf(idOf(body), { error: { code: -32005, message: "slow down" } })
        }))
        const error = yield* failureOf(transport.request("getSlot", []))
        assert.deepInclude(error, { reason: "RateLimited", status: 429, code: -32005, detail: "slow down" })
        assert.deepStrictEqual(Option.fromNullable(error.retryAfter), Option.some(Duration.seconds(7)))
      })
    )

    it.scopedLive("Given a redirection / When it is read / Then it is not followed", () =>
      Effect.gen(function* () {
        let requests = 0
        let status = 301
        const transport = yield* connect(() => {
          requests++
          return { status, headers: { location: "/elsewhere" }, body: "moved" }
        })
        for (status of [301, 302, 303, 307, 308]) {
          const error = yield* failureOf(transport.request("getSlot", []))
          assert.deepInclude(error, { reason: "HttpStatus", status, detail: `HTTP status ${status}: moved` })
        }
        assert.strictEqual(requests, 5)
      })
    )

    it.scopedLive("Given a compressed reply under any status / When it is read / Then it is undone", () =>
      Effect.gen(function* () {
        const encodings: ReadonlyArray<readonly [name: string, encode: (text: string) => Buffer]> = [
          ["gzip", gzipSync],
          ["x-gzip", gzipSync],
          ["br", brotli],
          ["BR", brotli],
          ["deflate", deflateSync],
          ["deflate", deflateRawSync],
          ["identity", Buffer.from]
        ]
        const next: { reply: (body: string) => Reply } = { reply: () => ({ status: 200, body: "" }) }
        const transport = yield* connect((body) => next.reply(body))
        // The second is one block of brotli that begins like an array of JSON.
        for (const text of ["x".repeat(1000), Array.from({ length: 20_000 }, (_, nth) => `${nth * nth}`).join("é")]) {
          for (const [name, encode] of encodings) {
            for (const status of [200, 500]) {
              const headers = { "content-encoding": name }
              next.reply = (body) => ({ status, headers, body: encode(responseOf(idOf(body), { result: text })) })
              assert.strictEqual(yield* transport.request("getProgramAccounts", []), text, `${name}, ${status}`)
            }
          }
        }
      })
    )

    it.scopedLive("Given an encoding that is false or unknown / When it is read / Then it is Decode", () =>
      Effect.gen(function* () {
        let name = ""
        const body = Buffer.from([0x1f, 0x8b, 0xff, 0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80])
        const transport = yield* connect(() => ({ status: 200, headers: { "content-encoding": name }, body }))
        for (name of ["gzip", "x", "gzip, br"]) {
          const { reason } = yield* failureOf(transport.request("getSlot", []))
          assert.strictEqual(reason, "Decode", name)
        }
      })
    )

    it.scopedLive("Given br that grows beyond the limit / When it is read / Then it is Decode", () =>
      Effect.gen(function* () {
        const headers = { "content-encoding": "br" }
        const transport = yield* connect((body) => ({
          status: 200,
          headers,
          body: brotli(responseOf(idOf(body), { result: "x".repeat(10_000_000) }))
        }))
        assert.deepInclude(yield* failureOf(transport.request("getSlot", [])), { reason: "Decode" })
      })
    )
  })
