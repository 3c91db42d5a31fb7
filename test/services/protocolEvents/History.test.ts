import { assert, describe, it } from "@effect/vitest"
import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { type Part, History, Reader } from "../../../services/protocolEvents/History.js"
import { RpcPool, type Service } from "../../../services/RpcPool.js"
import * as RpcPools from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as Signatures from "../../../src/solana/Signature.js"
import { confirmedOf } from "../../support/fakeNode.js"

/** An entry of a history: a failed transaction, which has no events, unless `ok`. */
interface Entry {
  readonly id: number
  readonly slot: bigint
  readonly ok?: boolean
}

const signatureOf = (id: number): Signature => {
  const bytes = new Uint8Array(64)
  new DataView(bytes.buffer).setUint32(0, id + 1)
  return Signatures.fromBytes(bytes)
}

const infoOf = ({ id, ok, slot }: Entry): RpcPools.SignatureInfo => ({
  signature: signatureOf(id),
  slot,
  err: ok === true ? null : "AccountNotFound",
  memo: Option.none(),
  blockTime: Option.none(),
  confirmationStatus: Option.none()
})

/** A node with this history, newest first, whose pages have at most `most` entries. */
const node = (entries: () => ReadonlyArray<RpcPools.SignatureInfo>, most = 1000, overrides: Partial<Service> = {}) => {
  const asked = { pages: 0 }
  const stubs: Partial<Service> = {
    getFirstAvailableBlock: Effect.succeed(0n),
    getSignaturesForAddress: (_, options) =>
      Effect.sync(() => {
        asked.pages++
        const all = entries()
        const at = (signature: Signature | undefined) => all.findIndex((info) => info.signature === signature)
        if (options?.before !== undefined && at(options.before) === -1) return []
        const end = options?.until === undefined ? -1 : at(options.until)
        const start = options?.before === undefined ? 0 : at(options.before) + 1
        return all.slice(start, end === -1 ? undefined : end).slice(0, Math.min(most, options?.limit ?? 1000))
      }),
    getTransaction: () => Effect.succeed(Option.none()),
    ...overrides
  }
  return { asked, history: Effect.map(pooled(stubs), (pool) => new History(pool, PROGRAM_ID, "confirmed", 8)) }
}

const pooled = (stubs: Partial<Service>): Effect.Effect<Service> => Effect.provide(RpcPool, RpcPools.layerTest(stubs))

const readAll = (reader: Reader): Effect.Effect<ReadonlyArray<Part>, RpcError> =>
  Effect.gen(function* () {
    const all: Array<Part> = []
    for (let parts = yield* reader.next(); parts !== undefined; parts = yield* reader.next()) all.push(...parts)
    return all
  })

const slots = (parts: ReadonlyArray<Part>) => parts.map((part) => (part._tag === "Slot" ? part.slot : "lost"))

describe("the history of the program", () => {
  it.effect(
    "Given 70,000 transactions, When they are read, Then each slot comes once, in order, and few pages twice",
    () =>
      Effect.gen(function* () {
        const entries = Array.from({ length: 70_000 }, (_, id) =>
          infoOf({ id, slot: BigInt(1 + Math.floor(id / 7)) })
        ).toReversed()
        const indices = new Map(entries.map(({ signature }, index) => [signature, index]))
        const { asked, history } = node(() => entries, 1000, {
          getSignaturesForAddress: (_, options) =>
            Effect.sync(() => {
              asked.pages++
              const start = options?.before === undefined ? 0 : (indices.get(options.before) ?? 0) + 1
              return entries.slice(start, start + 1000)
            })
        })
        const parts = yield* readAll(new Reader(yield* history, { after: -1n, to: 1_000_000n }))
        assert.deepStrictEqual(
          slots(parts),
          Array.from({ length: Math.ceil(70_000 / 7) }, (_, index) => BigInt(index + 1))
        )
        assert.strictEqual(asked.pages, 70 + 1 + 20)
      })
  )

  it.effect(
    "Given a node that cuts pages short, a range and an entry listed twice, When it is read, Then only the range comes, once",
    () =>
      Effect.gen(function* () {
        const all = Array.from({ length: 50 }, (_, id) =>
          infoOf({ id, slot: BigInt(1 + Math.floor(id / 3)) })
        ).toReversed()
        const { history } = node(() => all.flatMap((info) => [info]), 4)
        const parts = yield* readAll(new Reader(yield* history, { after: 3n, to: 12n }))
        assert.deepStrictEqual(slots(parts), [4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n])
      })
  )

  it.effect("Given a history out of order, or one without an end, When it is read, Then it fails", () =>
    Effect.gen(function* () {
      const disordered = node(() => [infoOf({ id: 1, slot: 1n }), infoOf({ id: 2, slot: 2n })])
      let id = 0
      const endless = node(() => [], 1000, {
        getSignaturesForAddress: () => Effect.sync(() => [infoOf({ id: id++ % 2, slot: 9n })])
      })
      const repeated = node(() => [], 1000, {
        getSignaturesForAddress: () => Effect.succeed([infoOf({ id: 1, slot: 9n })])
      })
      for (const { history } of [disordered, endless, repeated]) {
        const reader = new Reader(yield* history, { after: -1n, to: 10n })
        const failed = yield* Effect.fork(Effect.flip(readAll(reader)))
        yield* TestClock.adjust("2 minutes")
        const error = yield* Fiber.join(failed)
        assert.strictEqual(error.reason, "Decode")
      }
    })
  )

  it.effect(
    "Given a transaction of a fork that is dropped, When it is waited for, Then the history is read again without it",
    () =>
      Effect.gen(function* () {
        let forked = true
        const { history } = node(() =>
          [
            infoOf({ id: 1, slot: 1n }),
            ...(forked ? [infoOf({ id: 2, slot: 2n, ok: true })] : []),
            infoOf({ id: 3, slot: 3n })
          ].toReversed()
        )
        const reading = yield* Effect.fork(readAll(new Reader(yield* history, { after: -1n, to: 5n })))
        yield* TestClock.adjust("30 seconds")
        assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
        forked = false
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(slots(yield* Fiber.join(reading)), [1n, 3n])
      })
  )

  it.effect(
    "Given a transaction that the ledger drops while it is waited for, When it is read, Then its slot is lost",
    () =>
      Effect.gen(function* () {
        let start = 0n
        const { history } = node(() => [infoOf({ id: 2, slot: 2n, ok: true })], 1000, {
          getFirstAvailableBlock: Effect.sync(() => start)
        })
        const reading = yield* Effect.fork(readAll(new Reader(yield* history, { after: 1n, to: 5n })))
        yield* TestClock.adjust("1 seconds")
        start = 4n
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(yield* Fiber.join(reading), [
          { _tag: "Lost", from: 2n, to: 2n },
          { _tag: "Slot", slot: 2n, events: [] }
        ])
      })
  )

  it.effect(
    "Given a version that the node does not serve, and another transaction's reply, When read, Then Unknown, and asked again",
    () =>
      Effect.gen(function* () {
        let asked = 0
        const { history } = node(() => [infoOf({ id: 2, slot: 2n, ok: true })], 1000, {
          getTransaction: () =>
            Effect.suspend(() =>
              ++asked < 3
                ? Effect.succeed(Option.some(confirmedOf(new Uint8Array(3), null, [])))
                : Effect.fail(
                    new RpcError({
                      reason: "Node",
                      method: "getTransaction",
                      code: -32015,
                      detail: "Transaction version (1) is not supported by the requesting client"
                    })
                  )
            )
        })
        const reading = yield* Effect.fork(readAll(new Reader(yield* history, { after: -1n, to: 5n })))
        yield* TestClock.adjust("30 seconds")
        const [part] = yield* Fiber.join(reading)
        if (part?._tag !== "Slot") return assert.fail("no slot")
        assert.deepStrictEqual(
          part.events.map(({ _tag, slot, signature }) => [_tag, slot, signature]),
          [["Unknown", 2n, signatureOf(2)]]
        )
      })
  )

  it.effect(
    "Given an idle program and a ledger pruned above its last transaction, When it is read, Then nothing is lost",
    () =>
      Effect.gen(function* () {
        const { history } = node(() => [], 1000, { getFirstAvailableBlock: Effect.succeed(500n) })
        const reader = yield* history
        assert.deepStrictEqual(yield* readAll(new Reader(reader, { after: 7n, known: 800n, to: 900n })), [])
        assert.deepStrictEqual(yield* readAll(new Reader(reader, { after: 7n, known: 300n, to: 900n })), [
          { _tag: "Lost", from: 301n, to: 499n }
        ])
        // A beginning beyond what the node has reached is no claim to believe.
        assert.deepStrictEqual(yield* readAll(new Reader(reader, { after: 7n, to: 400n })), [])
      })
  )
})
