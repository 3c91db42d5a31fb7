import { describe, expect, it } from "@effect/vitest"
import type { Instruction } from "@solana/kit"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Address from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Message from "../../src/solana/Message.js"
import * as PreparedMessage from "../../src/solana/PreparedMessage.js"
import { assertProperty } from "../support/runs.js"

const numbered = (index: number) => Address.fromBytes(new Uint8Array(32).fill(index * 37).fill(index, 0, 1))

const blockhash = Blockhash.fromBytes(new Uint8Array(32).fill(5))

const compiled = (options: PreparedMessage.PrepareOptions) => Message.compile({ ...options, blockhash })

const prepared = (options: PreparedMessage.PrepareOptions) =>
  Either.map(PreparedMessage.prepare(options), (message) => PreparedMessage.withBlockhash(message, blockhash))

/** Few addresses and sizes, so that requests resemble those before them in all but a few places. */
const address = fc.nat(9).map(numbered)

const request = fc.record(
  {
    version: fc.constantFrom<Message.Version>("legacy", 0),
    feePayer: fc.nat(1).map(numbered),
    instructions: fc.array(
      fc.record(
        {
          programAddress: fc.integer({ min: 20, max: 21 }).map(numbered),
          accounts: fc.array(fc.record({ address, role: fc.constantFrom(0, 1, 2, 3) }), { maxLength: 4 }),
          data: fc.uint8Array({ minLength: 4, maxLength: 5 }).map((bytes) => bytes.fill(1, 0, 3))
        },
        { requiredKeys: ["programAddress"] }
      ),
      { minLength: 1, maxLength: 2 }
    ),
    lookupTables: fc.constantFrom([], [{ address: numbered(30), addresses: [numbered(3), numbered(4)] }])
  },
  { requiredKeys: ["feePayer", "instructions"] }
)

/** A request and others that name other accounts and data at the same places. */
const resembling = request.chain((first) => {
  const others = first.instructions.map((instruction): fc.Arbitrary<Instruction> => {
    const accounts = instruction.accounts?.map((meta) =>
      fc.oneof(
        fc.constant(meta),
        address.map((address) => ({ ...meta, address }))
      )
    )
    const data = instruction.data
    return fc.record({
      programAddress: fc.constant(instruction.programAddress),
      ...(accounts === undefined ? {} : { accounts: fc.tuple(...accounts) }),
      ...(data === undefined
        ? {}
        : {
            data: fc.uint8Array({ minLength: data.length, maxLength: data.length }).map((bytes) => bytes.fill(1, 0, 3))
          })
    })
  })
  return fc
    .array(fc.tuple(...others), { maxLength: 8 })
    .map((all) => [first, ...all.map((instructions) => ({ ...first, instructions }))])
})

describe("PreparedMessage", () => {
  it("Given messages that resemble one another, When prepared, Then each is byte for byte what is compiled", async () => {
    let patched = 0
    await assertProperty(
      fc.property(resembling, (requests) => {
        for (const request of requests) {
          const expected = compiled(request)
          const actual = prepared(request)
          expect(actual).toStrictEqual(expected)
          if (Either.isRight(actual)) patched++
        }
      })
    )
    expect(patched).toBeGreaterThan(0)
  })

  it("Given a prepared message, When its signers are read, Then they are the first accounts of what is compiled", async () => {
    await assertProperty(
      fc.property(resembling, (requests) => {
        for (const request of requests) {
          const message = Either.flatMap(compiled(request), Message.decode)
          const signers = Either.map(message, ({ header, staticAccounts }) =>
            staticAccounts.slice(0, header.requiredSignatures)
          )
          const actual = Either.map(PreparedMessage.prepare(request), ({ signers }) => [...signers])
          if (Either.isRight(signers)) expect(actual).toStrictEqual(signers)
        }
      })
    )
  })

  it("Given one prepared message, When two blockhashes are put in, Then neither changes the other", () => {
    // Given
    const options = { feePayer: numbered(1), instructions: [{ programAddress: numbered(20) }] }
    const message = Either.getOrThrow(PreparedMessage.prepare(options))
    const other = Blockhash.fromBytes(new Uint8Array(32).fill(6))
    // When
    const first = PreparedMessage.withBlockhash(message, blockhash)
    const second = PreparedMessage.withBlockhash(message, other)
    // Then
    expect(first).toStrictEqual(Either.getOrThrow(Message.compile({ ...options, blockhash })))
    expect(second).toStrictEqual(Either.getOrThrow(Message.compile({ ...options, blockhash: other })))
  })
})
