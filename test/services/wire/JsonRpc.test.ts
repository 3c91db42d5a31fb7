import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { RpcError } from "../../../services/RpcTransport.js"
import * as JsonRpc from "../../../services/wire/JsonRpc.js"
import * as RetryAfter from "../../../services/wire/RetryAfter.js"
import { runs } from "../../support/runs.js"

const HOST = "node.test"
const CALLS = ["a", "b", "c"].map((method) => ({ method, params: [] }))

const isTyped = (result: Either.Either<unknown, unknown>): boolean =>
  Either.isRight(result) || result.left instanceof RpcError

/** Texts that come close to responses. */
const response = FastCheck.record(
  {
    jsonrpc: FastCheck.constantFrom("2.0", "1.0"),
    id: FastCheck.oneof(FastCheck.integer({ min: 0, max: 5 }), FastCheck.jsonValue()),
    result: FastCheck.jsonValue(),
    error: FastCheck.oneof(
      FastCheck.jsonValue(),
      FastCheck.record({
        code: FastCheck.oneof(FastCheck.integer(), FastCheck.jsonValue()),
        message: FastCheck.jsonValue()
      })
    )
  },
  { requiredKeys: [] }
)
const text = FastCheck.oneof(
  FastCheck.string(),
  FastCheck.json(),
  response.map((value) => JSON.stringify(value)),
  FastCheck.array(response).map((value) => JSON.stringify(value))
)

describe("JSON-RPC texts", () => {
  it("Given any text, When it is read as a reply, Then it is a result or an RpcError", () => {
    FastCheck.assert(
      FastCheck.property(text, (reply) => {
        const single = JsonRpc.reply(reply, 1, "getSlot", HOST)
        const whole = JsonRpc.batchReply(reply, 1, CALLS, HOST)
        return isTyped(single) && isTyped(whole) && (Either.isLeft(whole) || whole.right.length === CALLS.length)
      }),
      { numRuns: runs(500) }
    )
  })

  it("Given answers in any order, When an array is read, Then each call gets its own", () => {
    const order = FastCheck.shuffledSubarray([0, 1, 2], { minLength: 3 })
    FastCheck.assert(
      FastCheck.property(order, FastCheck.integer({ min: 1 }), (order, firstId) => {
        const reply = JSON.stringify(order.map((index) => ({ jsonrpc: "2.0", id: firstId + index, result: index })))
        const items = Either.getOrThrow(JsonRpc.batchReply(reply, firstId, CALLS, HOST))
        assert.deepStrictEqual(items.map(Either.getOrNull), [0, 1, 2])
      }),
      { numRuns: runs(200) }
    )
  })

  it("Given a node's endless message, When it is kept, Then it is cut", () => {
    const reply = JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: 1, message: "x".repeat(100_000) } })
    const error = Either.flip(JsonRpc.reply(reply, 1, "getSlot", HOST))
    assert.strictEqual(Either.getOrThrow(error).detail.length, 500)
  })
})

describe("Retry-After", () => {
  it("Given a header, When it is read, Then seconds, a date against now, or nothing", () => {
    const now = Date.parse("Wed, 21 Oct 2015 07:28:00 GMT")
    const read = (header: string) => Option.getOrNull(Option.map(RetryAfter.parse(header, now), Duration.toMillis))
    assert.deepStrictEqual(
      [
        "120",
        " 0 ",
        "Wed, 21 Oct 2015 07:28:30 GMT",
        "Wed, 21 Oct 2015 07:00:00 GMT",
        "",
        "-1",
        "soon",
        "1e9",
        "99999999999"
      ].map(read),
      [120_000, 0, 30_000, 0, null, null, null, null, null]
    )
  })
})
