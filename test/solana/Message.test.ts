import { describe, expect, it } from "@effect/vitest"
import type { Address as KitAddress, Instruction } from "@solana/kit"
import * as Kit from "@solana/kit"
import { VersionedMessage, VersionedTransaction } from "@solana/web3.js"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Address from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Message from "../../src/solana/Message.js"
import * as Wire from "../../src/solana/Wire.js"
import { assertProperty } from "../support/runs.js"

const numbered = (index: number): KitAddress => {
  const bytes = new Uint8Array(32).fill(index * 37)
  bytes[0] = index
  bytes[31] = 255 - index
  return Address.fromBytes(bytes)
}

const blockhash = Blockhash.fromBytes(new Uint8Array(32).fill(5))
const feePayer = numbered(0)

/** A request over a small pool of accounts, so that roles merge, programs are written to and payers are invoked. */
const request = (accounts: number) => {
  const address = fc.nat(accounts - 1).map(numbered)
  const role = fc.constantFrom(0, 0, 0, 1, 1, 2, 3).map((role): Kit.AccountRole => role)
  const instruction = fc.record({
    // Programs come from a range of their own most of the time: else nearly every request would be refused.
    programAddress: fc.oneof({ weight: 30, arbitrary: fc.integer({ min: 200, max: 203 }).map(numbered) }, address),
    accounts: fc.array(fc.record({ address, role }), { maxLength: accounts }),
    data: fc.uint8Array({ maxLength: 160 })
  })
  const bare = fc.record({ programAddress: fc.integer({ min: 200, max: 203 }).map(numbered) })
  const table = fc.record({
    address: fc.integer({ min: 220, max: 224 }).map(numbered),
    addresses: fc.uniqueArray(fc.oneof(address, fc.integer({ min: 200, max: 210 }).map(numbered)), { maxLength: 40 })
  })
  return fc.record({
    version: fc.constantFrom<Message.Version>("legacy", 0),
    feePayer: fc.oneof({ weight: 9, arbitrary: fc.constant(feePayer) }, { weight: 1, arbitrary: address }),
    instructions: fc.array(fc.oneof({ weight: 9, arbitrary: instruction }, { weight: 1, arbitrary: bare }), {
      maxLength: 5
    }),
    lookupTables: fc.uniqueArray(table, { maxLength: 3, selector: (table) => table.address })
  })
}

interface Request {
  readonly version: Message.Version
  readonly feePayer: KitAddress
  readonly instructions: ReadonlyArray<Instruction>
  readonly lookupTables: ReadonlyArray<Message.LookupTable>
}

const kitTransaction = ({ feePayer, instructions, lookupTables, version }: Request): Uint8Array => {
  const lifetime = { blockhash, lastValidBlockHeight: 0n }
  if (version === "legacy") {
    return Kit.pipe(
      Kit.createTransactionMessage({ version }),
      (message) => Kit.setTransactionMessageFeePayer(feePayer, message),
      (message) => Kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
      (message) => Kit.appendTransactionMessageInstructions(instructions, message),
      (message) => new Uint8Array(Kit.getTransactionEncoder().encode(Kit.compileTransaction(message)))
    )
  }
  const tables = Object.fromEntries(lookupTables.map(({ address, addresses }) => [address, [...addresses]]))
  return Kit.pipe(
    Kit.createTransactionMessage({ version }),
    (message) => Kit.setTransactionMessageFeePayer(feePayer, message),
    (message) => Kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
    (message) => Kit.appendTransactionMessageInstructions(instructions, message),
    (message) => Kit.compressTransactionMessageUsingAddressLookupTables(message, tables),
    (message) => new Uint8Array(Kit.getTransactionEncoder().encode(Kit.compileTransaction(message)))
  )
}

/** Kit's bytes; left where Kit refuses or the transaction is too large to be sent. */
const byKit = (request: Request): Either.Either<Uint8Array, unknown> =>
  Either.filterOrLeft(
    Either.try(() => kitTransaction(request)),
    (bytes) => bytes.length <= Wire.MAX_TRANSACTION_BYTES,
    () => "too large"
  )

const unsigned = (messageBytes: Uint8Array): Uint8Array => {
  const { header } = Either.getOrThrow(Message.decode(messageBytes))
  return Wire.encode(
    Array.from({ length: header.requiredSignatures }, () => new Uint8Array(64)),
    messageBytes
  )
}

const compile = ({ lookupTables, version, ...rest }: Request): Either.Either<Uint8Array, unknown> =>
  Message.compile({ version, blockhash, ...rest, ...(version === 0 ? { lookupTables } : {}) })

const NO_BYTES = new Uint8Array(0)

/** What Kit reads in the bytes of a message. */
const readByKit = (bytes: Uint8Array): Message.CompiledMessage => {
  const compiled = Kit.getCompiledTransactionMessageDecoder().decode(bytes)
  if (compiled.version === 1) throw new RangeError("not version 1")
  const lookups = "addressTableLookups" in compiled ? (compiled.addressTableLookups ?? []) : []
  return {
    version: compiled.version,
    header: {
      requiredSignatures: compiled.header.numSignerAccounts,
      readonlySigned: compiled.header.numReadonlySignerAccounts,
      readonlyUnsigned: compiled.header.numReadonlyNonSignerAccounts
    },
    staticAccounts: compiled.staticAccounts,
    blockhash: Kit.blockhash(compiled.lifetimeToken),
    instructions: compiled.instructions.map(({ accountIndices = [], data = NO_BYTES, programAddressIndex }) => ({
      programIndex: programAddressIndex,
      accountIndices: Uint8Array.from(accountIndices),
      data: Uint8Array.from(data)
    })),
    lookups: lookups.map(({ lookupTableAddress, readonlyIndexes, writableIndexes }) => ({
      table: lookupTableAddress,
      writable: Uint8Array.from(writableIndexes),
      readonly: Uint8Array.from(readonlyIndexes)
    }))
  }
}

const instruction: Instruction = { programAddress: numbered(200), accounts: [{ address: numbered(1), role: 1 }] }

describe("Message", () => {
  it.each([4, 12, 30, 64])(
    "Given instructions over %i accounts, When compiled, Then the bytes are Kit's or both refuse",
    async (n) => {
      let accepted = 0
      await assertProperty(
        fc.property(request(n), (request) => {
          const expected = byKit(request)
          const actual = Either.map(compile(request), unsigned)
          expect(Either.isRight(actual)).toBe(Either.isRight(expected))
          if (Either.isRight(actual)) {
            accepted++
            expect(Buffer.from(actual.right).equals(Either.getOrThrow(expected))).toBe(true)
            const decoded = Either.getOrThrow(Wire.decode(actual.right))
            expect(Message.encode(decoded.message)).toStrictEqual(new Uint8Array(decoded.messageBytes))
            expect(VersionedTransaction.deserialize(actual.right).serialize()).toStrictEqual(actual.right)
          }
        }),
        200
      )
      expect(accepted).toBeGreaterThan(0)
    }
  )

  it.each(Array.from({ length: 64 }, (_, index) => index + 1))(
    "Given a table that holds the accounts, When a message of %i accounts is compiled, Then the bytes are Kit's",
    (count) => {
      const accounts = Array.from({ length: Math.max(0, count - 2) }, (_, index) => ({
        address: numbered(index + 1),
        role: index % 2
      }))
      const request: Request = {
        version: 0,
        feePayer,
        instructions: count === 1 ? [] : [{ programAddress: numbered(200), accounts }],
        lookupTables: [{ address: numbered(220), addresses: accounts.map(({ address }) => address).toReversed() }]
      }
      expect(Either.map(compile(request), unsigned)).toStrictEqual(byKit(request))
    }
  )

  it("Given 65 accounts, When compiled, Then they are refused", () => {
    const accounts = Array.from({ length: 63 }, (_, index) => ({ address: numbered(index + 1), role: 0 }))
    const lookupTables = [{ address: numbered(220), addresses: accounts.map(({ address }) => address) }]
    expect(
      Message.compile({
        feePayer,
        blockhash,
        instructions: [{ programAddress: numbered(200), accounts }],
        lookupTables
      })
    ).toMatchObject({ left: { _tag: "InvalidInput", field: "accounts", size: 65 } })
  })

  it("Given accounts that name their own table, When compiled, Then the bytes are Kit's", async () => {
    const meta = fc.record({
      address: fc.integer({ min: 1, max: 8 }).map(numbered),
      role: fc.constantFrom(0, 1),
      lookupTableAddress: fc.integer({ min: 220, max: 222 }).map(numbered),
      addressIndex: fc.nat(255)
    })
    const plain = fc.record({
      address: fc.integer({ min: 1, max: 8 }).map(numbered),
      role: fc.constantFrom(0, 1, 2, 3)
    })
    await assertProperty(
      fc.property(fc.array(fc.oneof(meta, plain), { maxLength: 12 }), (accounts) => {
        const instructions: ReadonlyArray<Instruction> = [{ programAddress: numbered(200), accounts }]
        const request: Request = { version: 0, feePayer, instructions, lookupTables: [] }
        expect(Either.map(compile(request), unsigned)).toStrictEqual(byKit(request))
      }),
      200
    )
  })

  it.each([
    ["a payer that is invoked", { instructions: [{ programAddress: feePayer }] }, "feePayer"],
    ["a program that is written to", { instructions: [instruction, { programAddress: numbered(1) }] }, "instructions"],
    ["65 instructions", { instructions: Array.from({ length: 65 }, () => instruction) }, "instructions"],
    [
      "256 accounts in an instruction",
      {
        instructions: [
          { ...instruction, accounts: Array.from({ length: 256 }, () => ({ address: feePayer, role: 0 })) }
        ]
      },
      "instructions[0].accounts"
    ],
    [
      "a table index over 255",
      {
        instructions: [
          {
            ...instruction,
            accounts: [{ address: numbered(1), role: 0, lookupTableAddress: numbered(220), addressIndex: 256 }]
          }
        ]
      },
      "accounts"
    ],
    ["too much data", { instructions: [{ ...instruction, data: new Uint8Array(2000) }] }, "transaction"],
    [
      "tables in a legacy message",
      { version: "legacy" as const, lookupTables: [{ address: numbered(220), addresses: [numbered(1)] }] },
      "lookupTables"
    ],
    [
      "a table of 257 addresses",
      { lookupTables: [{ address: numbered(220), addresses: Array.from({ length: 257 }, () => feePayer) }] },
      "lookupTables"
    ]
  ])("Given %s, When compiled, Then InvalidInput names the field", (_, change, field) => {
    const refused = Message.compile({ feePayer, blockhash, instructions: [instruction], ...change })
    expect(refused).toMatchObject({ left: { _tag: "InvalidInput", field } })
  })

  it("Given arbitrary or mutated bytes, When decoded, Then they fail typed or are exactly what encoding writes", async () => {
    const valid = fc
      .tuple(request(12), fc.boolean())
      .map(([request]) => Either.getOrElse(compile(request), () => new Uint8Array(0)))
    const mutated = fc
      .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(3), fc.nat(3))
      .map(([bytes, changes, cut, pad]) => {
        const copy = new Uint8Array(Math.max(0, bytes.length - cut) + pad)
        copy.set(bytes.subarray(0, bytes.length - cut))
        for (const [at, value] of changes) copy[at % Math.max(1, Math.min(copy.length, 50))] = value
        return copy
      })
    await assertProperty(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const decoded = Message.decode(bytes)
        if (Either.isLeft(decoded)) {
          expect(decoded).toMatchObject({ left: { _tag: "WireError" } })
          expect(decoded.left.offset).toBeLessThanOrEqual(bytes.length)
          return
        }
        expect(Message.encode(decoded.right)).toStrictEqual(bytes)
        expect(decoded.right).toStrictEqual(readByKit(bytes))
        expect(new Uint8Array(VersionedMessage.deserialize(bytes).serialize())).toStrictEqual(bytes)
      })
    )
  })
})

/** A v0 message byte by byte: payer and program, one instruction without accounts and data. */
const parts = {
  version: [0x80],
  header: [1, 0, 1],
  accounts: [2, ...new Uint8Array(32).fill(1), ...new Uint8Array(32).fill(2)],
  blockhash: [...new Uint8Array(32).fill(3)],
  instructions: [1, 1, 0, 0],
  lookups: [0]
}

const assemble = (change: Partial<typeof parts> & { readonly tail?: Array<number> }): Uint8Array => {
  const { accounts, blockhash, header, instructions, lookups, tail = [], version } = { ...parts, ...change }
  return Uint8Array.from([...version, ...header, ...accounts, ...blockhash, ...instructions, ...lookups, ...tail])
}

const table = [...new Uint8Array(32).fill(4)]

describe("Message.decode", () => {
  it.each([
    ["nothing", new Uint8Array(0), "Truncated"],
    ["a version only", Uint8Array.of(0x80), "Truncated"],
    ["version 1", assemble({ version: [0x81] }), "UnsupportedVersion"],
    ["version 127", assemble({ version: [0xff] }), "UnsupportedVersion"],
    ["no signer", assemble({ header: [0, 0, 1] }), "InvalidHeader"],
    ["a read-only payer", assemble({ header: [1, 1, 1] }), "InvalidHeader"],
    ["more signers than accounts", assemble({ header: [3, 0, 0] }), "InvalidHeader"],
    ["more read-only accounts than there are", assemble({ header: [1, 0, 2] }), "InvalidHeader"],
    ["65535 accounts announced", assemble({ accounts: [0xff, 0xff, 0x03] }), "Truncated"],
    ["a count that is not the shortest", assemble({ instructions: [0x81, 0x00, 1, 0, 0] }), "NonCanonicalLength"],
    ["a count over 65535", assemble({ instructions: [0xff, 0xff, 0x04] }), "NonCanonicalLength"],
    ["a count of four bytes", assemble({ instructions: [0xff, 0xff, 0xff, 0x01] }), "NonCanonicalLength"],
    ["the payer as program", assemble({ instructions: [1, 0, 0, 0] }), "IndexOutOfRange"],
    ["a program that is not there", assemble({ instructions: [1, 2, 0, 0] }), "IndexOutOfRange"],
    ["an account that is not there", assemble({ instructions: [1, 1, 1, 2, 0] }), "IndexOutOfRange"],
    [
      "a program from a table",
      assemble({ instructions: [1, 2, 0, 0], lookups: [1, ...table, 1, 0, 0] }),
      "IndexOutOfRange"
    ],
    ["a lookup of nothing", assemble({ lookups: [1, ...table, 0, 0] }), "InvalidLookup"],
    ["257 accounts", assemble({ lookups: [1, ...table, 0xff, 0x01, ...new Uint8Array(255), 0] }), "InvalidLookup"],
    ["a byte too many", assemble({ tail: [0] }), "TrailingBytes"],
    ["data that is cut off", assemble({ instructions: [1, 1, 0, 9], lookups: [1] }), "Truncated"]
  ])("Given %s, When decoded, Then it fails typed", (_, bytes, reason) => {
    expect(Message.decode(bytes)).toMatchObject({ left: { _tag: "WireError", reason, isRetryable: false } })
  })

  it("Given an account from a table, When decoded, Then its index is behind the static accounts", () => {
    const bytes = assemble({ instructions: [1, 1, 1, 2, 0], lookups: [1, ...table, 1, 9, 0] })
    expect(Message.decode(bytes)).toMatchObject({
      right: {
        version: 0,
        header: { requiredSignatures: 1, readonlySigned: 0, readonlyUnsigned: 1 },
        instructions: [{ programIndex: 1, accountIndices: Uint8Array.of(2) }],
        lookups: [{ writable: Uint8Array.of(9), readonly: new Uint8Array(0) }]
      }
    })
  })
})

describe("Wire", () => {
  const message = assemble({})
  const signature = new Uint8Array(64).fill(6)

  it("Given signature and message, When joined and read, Then they come back as views of the bytes", () => {
    const bytes = Wire.encode([signature], message)
    const { messageBytes, signatures } = Either.getOrThrow(Wire.decode(bytes))
    expect(messageBytes).toStrictEqual(message)
    expect(messageBytes.buffer).toBe(bytes.buffer)
    expect(signatures).toStrictEqual([signature])
  })

  it("Given any message and signatures, When joined, Then Kit reads the same, and what Kit writes is read back", async () => {
    const kit = Kit.getTransactionCodec()
    await assertProperty(
      fc.property(request(12), fc.uint8Array({ minLength: 64, maxLength: 64 }), (request, random) => {
        const messageBytes = Either.getOrUndefined(compile(request))
        if (messageBytes === undefined) return
        const { requiredSignatures } = Either.getOrThrow(Message.decode(messageBytes)).header
        const signatures = Array.from({ length: requiredSignatures }, (_, index) => random.map((byte) => byte ^ index))
        const bytes = Wire.encode(signatures, messageBytes)
        const byKit = kit.decode(bytes)
        expect(Object.values(byKit.signatures)).toStrictEqual(signatures)
        expect(byKit.messageBytes).toStrictEqual(messageBytes)
        const read = Either.getOrThrow(Wire.decode(new Uint8Array(kit.encode(byKit))))
        expect(read.signatures).toStrictEqual(signatures)
        expect(read.messageBytes).toStrictEqual(messageBytes)
      })
    )
  })

  it.each([
    ["no signature", Wire.encode([], message), "SignatureCount"],
    ["a signature too many", Wire.encode([signature, signature], message), "SignatureCount"],
    ["a padded transaction", Uint8Array.from([...Wire.encode([signature], message), 0]), "TrailingBytes"],
    ["a cut transaction", Wire.encode([signature], message).subarray(0, -1), "Truncated"],
    ["more signatures than bytes", Uint8Array.of(19, 1, 2), "Truncated"],
    ["1233 bytes", new Uint8Array(1233), "TooLarge"],
    ["nothing", new Uint8Array(0), "Truncated"]
  ])("Given %s, When decoded, Then it fails typed", (_, bytes, reason) => {
    expect(Wire.decode(bytes)).toMatchObject({ left: { _tag: "WireError", reason } })
  })

  it("Given a fault in the message, When decoded, Then its offset counts from the start of the transaction", () => {
    const bytes = Wire.encode([signature], assemble({ version: [0x81] }))
    expect(Wire.decode(bytes)).toMatchObject({ left: { reason: "UnsupportedVersion", offset: 65 } })
  })

  it("Given arbitrary bytes, When decoded, Then they fail typed or are exactly what encoding writes", async () => {
    await assertProperty(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, plausible) => {
        if (plausible && bytes.length > 70) bytes.set([1], 0)
        const decoded = Wire.decode(bytes)
        if (Either.isRight(decoded)) {
          expect(Wire.encode(decoded.right.signatures, Message.encode(decoded.right.message))).toStrictEqual(bytes)
        } else expect(decoded).toMatchObject({ left: { _tag: "WireError" } })
      })
    )
  })
})
