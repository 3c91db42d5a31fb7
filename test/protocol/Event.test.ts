import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Event from "../../src/protocol/Event.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Base64 from "../../src/solana/Base64.js"
import { assertProperty } from "../support/runs.js"
import { arbitraryBytes, headed, mutated } from "./hostile.js"
import * as Oracles from "./oracles.js"
import * as Vectors from "./vectors.js"

const events = Arbitrary.make(Schema.typeSchema(Event.Event))
const encode = (event: Event.Event) => Either.getOrThrow(Event.encode(event))
const encoded = events.map(encode)

const check = <A>(arbitrary: FastCheck.Arbitrary<A>, property: (value: A) => void): Promise<void> =>
  assertProperty(FastCheck.property(arbitrary, property), 200)

const joined = new Event.ChannelJoined({
  channel: Vectors.channel.address,
  agent: Vectors.agentA.address,
  timestamp: 1_700_000_000n
})
const data = Base64.encode(encode(joined))
const other = Vectors.walletB

describe("Event", () => {
  it("Given a transaction that failed, When its events are asked for, Then there are none, though its log has some", () => {
    const logs = [`Program ${PROGRAM_ID} invoke [1]`, `Program data: ${data}`, `Program ${PROGRAM_ID} success`]
    assert.deepStrictEqual(Event.fromTransaction({ err: null, logs }).map(Either.isRight), [true])
    assert.deepStrictEqual(Event.fromTransaction({ err: { InstructionError: [1, { Custom: 1 }] }, logs }), [])
    assert.strictEqual(Event.fromLogs(logs).length, 1)
  })

  it("Given any event, When it is encoded and decoded, Then it is the same", async () => {
    await check(events, (event) => {
      const decoded = Either.getOrThrow(Event.decode(encode(event)))
      assert.deepStrictEqual(decoded, event)
      assert.strictEqual(Object.getPrototypeOf(decoded), Object.getPrototypeOf(event))
    })
  })

  it("Given any event, When others decode our bytes, Then they read the same", async () => {
    await check(events, (event) => {
      assert.deepStrictEqual(
        Oracles.codama("events", event._tag, encode(event)),
        Oracles.asKitReads(Oracles.plain(event))
      )
      assert.deepStrictEqual(Oracles.anchorEvent(encode(event)), Oracles.plain(event))
    })
  })

  it("Given any event, When it is turned to JSON text and back, Then it is the same", async () => {
    await check(events, (event) => {
      const json = JSON.stringify(Schema.encodeSync(Event.Event)(event))
      assert.deepStrictEqual(Schema.decodeUnknownSync(Event.Event)(JSON.parse(json)), event)
    })
  })

  it("Given data of several programs, When events are read, Then only the program's own count", () => {
    const found = Event.fromLogs([
      `Program data: ${data}`,
      `Program ${other} invoke [1]`,
      `Program data: ${data}`,
      `Program log: Program ${PROGRAM_ID} invoke [2]`,
      `Program data: ${data}`,
      `Program ${PROGRAM_ID} invoke [2]`,
      `Program log: Program data: ${data}`,
      `Program data: ${data}`,
      `Program ${other} invoke [3]`,
      `Program data: ${data}`,
      `Program ${other} success`,
      `Program ${PROGRAM_ID} success`,
      `Program data: ${data}`,
      `Program ${other} success`
    ])
    assert.deepStrictEqual(Arr.getRights(found), [joined])
    assert.strictEqual(found.length, 1)
  })

  it("Given data that is no event, When events are read, Then it stays in its place as a failure", () => {
    const found = Event.fromLogs([
      `Program ${PROGRAM_ID} invoke [1]`,
      "Program data: not base64!",
      `Program data: ${Base64.encode(new Uint8Array(20))}`,
      `Program data: ${data}`
    ])
    assert.deepStrictEqual(found.map(Either.match({ onLeft: ({ reason }) => reason, onRight: ({ _tag }) => _tag })), [
      "Base64",
      "Discriminator",
      "ChannelJoined"
    ])
  })

  it("Given hostile bytes, When decoded, Then they decode or fail typed", async () => {
    const heads = (Oracles.idl.events ?? []).map(({ discriminator }) => Uint8Array.from(discriminator))
    await check(FastCheck.oneof(mutated(encoded), headed(heads), arbitraryBytes), (bytes) => {
      const result = Event.decode(bytes)
      if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "EventDecodeError")
      else assert.isTrue(Schema.is(Event.Event)(result.right))
    })
  })
})
