import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Envelope from "../../src/protocol/Envelope.js"
import * as Hash from "../../src/solana/Hash.js"
import { assertProperty } from "../support/runs.js"
import { mutated } from "./hostile.js"

const inputs = FastCheck.record({
  payload: FastCheck.uint8Array({ maxLength: 200 }),
  createdAt: FastCheck.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  id: FastCheck.uint8Array({ minLength: 16, maxLength: 16 }),
  flags: FastCheck.integer({ min: 0, max: 2 ** 32 - 1 })
})

const id = Uint8Array.from({ length: 16 }, (_, at) => at)

const check = <A>(arbitrary: FastCheck.Arbitrary<A>, property: (value: A) => void): Promise<void> =>
  assertProperty(FastCheck.property(arbitrary, property), 200)

describe("Envelope", () => {
  it("Given a message, When it is put into an envelope, Then the header stands before the payload", () => {
    const bytes = Either.getOrThrow(
      Envelope.encode({ payload: new TextEncoder().encode("hi"), createdAt: 0x0102n, id, flags: 3 })
    )
    assert.strictEqual(
      Buffer.from(bytes).toString("hex"),
      "506f4401030000000201000000000000000102030405060708090a0b0c0d0e0f6869"
    )
    assert.deepStrictEqual(Envelope.hash(bytes), Hash.sha256(bytes))
  })

  it("Given any envelope, When it is encoded and decoded, Then it is the same, by bytes and by JSON", async () => {
    await check(inputs, (input) => {
      const envelope = Either.getOrThrow(Envelope.decode(Either.getOrThrow(Envelope.encode(input))))
      assert.deepStrictEqual(envelope, new Envelope.Envelope(input))
      const json = JSON.stringify(Schema.encodeSync(Envelope.Envelope)(envelope))
      assert.deepStrictEqual(Schema.decodeUnknownSync(Envelope.Envelope)(JSON.parse(json)), envelope)
    })
  })

  it("Given an envelope inside a larger buffer, When decoded, Then the payload is a view of it", () => {
    const bytes = Either.getOrThrow(Envelope.encode({ payload: Uint8Array.of(1, 2, 3), createdAt: 1n, id }))
    const pool = Buffer.concat([Buffer.alloc(5), bytes])
    const { payload } = Either.getOrThrow(Envelope.decode(pool.subarray(5)))
    assert.deepStrictEqual(payload, Uint8Array.of(1, 2, 3))
    assert.strictEqual(payload.buffer, pool.buffer)
  })

  it("Given numbers and ids out of range, When a header is made, Then the field is named", () => {
    const refused = [
      Envelope.header({ createdAt: -1n, id }),
      Envelope.header({ createdAt: 2n ** 64n, id }),
      Envelope.header({ createdAt: 0n, id: id.slice(1) }),
      Envelope.header({ createdAt: 0n, id, flags: 2 ** 32 })
    ].map((header) => Either.getOrThrow(Either.flip(header)).field)
    assert.deepStrictEqual(refused, ["createdAt", "createdAt", "id", "flags"])
  })

  it("Given bytes that are no envelope, When decoded, Then the error has the reason", () => {
    const bytes = Either.getOrThrow(Envelope.encode({ payload: new Uint8Array(), createdAt: 1n, id }))
    const newer = bytes.slice()
    newer[3] = 2
    const reasons = [bytes.slice(1, 32), new TextEncoder().encode("a plain text of more than 32 bytes"), newer].map(
      (other) => Either.getOrThrow(Either.flip(Envelope.decode(other))).reason
    )
    assert.deepStrictEqual(reasons, ["TooShort", "Magic", "Version"])
  })

  it("Given hostile bytes, When decoded, Then they decode or fail typed", async () => {
    const valid = inputs.map((input) => Either.getOrThrow(Envelope.encode(input)))
    await check(mutated(valid), (bytes) => {
      const result = Envelope.decode(bytes)
      if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "EnvelopeDecodeError")
      else assert.strictEqual(result.right.payload.length, bytes.length - Envelope.HEADER_SIZE)
    })
  })
})
