import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as RpcPool from "../../../services/RpcPool.js"
import type { RpcError } from "../../../services/RpcTransport.js"
import { SignedTransaction } from "../../../services/SignedTransaction.js"
import { Entry, type Landed } from "../../../services/transactions/confirm/Entry.js"
import * as Expirer from "../../../services/transactions/confirm/Expirer.js"
import { InFlight } from "../../../services/transactions/confirm/InFlight.js"
import * as StatusLookup from "../../../services/transactions/confirm/StatusLookup.js"
import { Transmission } from "../../../services/transactions/confirm/Transmission.js"
import type { TransactionError } from "../../../services/transactions/TransactionError.js"
import * as Endpoint from "../../../services/transport/Endpoint.js"
import * as Endpoints from "../../../services/transport/Endpoints.js"
import * as Blockhashes from "../../../src/solana/Blockhash.js"
import * as Signatures from "../../../src/solana/Signature.js"
import { fail, fake } from "../transport/support.js"

const NEWEST = 5000n
const FINALIZED = 4960n
const LAST_HEIGHT = 1000n

/** What a node says of a transaction that is too old and did not land, unless it lies. */
interface Node {
  readonly absoluteSlot?: bigint
  readonly blockHeight?: bigint
  readonly isValid?: boolean
  readonly slot?: bigint
  /** The first slot of its ledger. */
  readonly ledger?: bigint
  /** The methods that it refuses. */
  readonly refuses?: ReadonlyArray<string>
  /** How long each answer takes. */
  readonly millis?: number
  /** The methods that it never answers. */
  readonly hangs?: ReadonlyArray<string>
}

const hostOf = (index: number) => `node${index}`

const node = (
  { absoluteSlot = FINALIZED, blockHeight = 2000n, hangs = [], isValid = false, ledger = 0n, ...rest }: Node,
  index: number
) => {
  const { millis = 0, refuses = [], slot = NEWEST } = rest
  const answer = (method: string, params: ReadonlyArray<unknown>): unknown => {
    switch (method) {
      case "getGenesisHash":
        return "genesis"
      case "getEpochInfo":
        return { absoluteSlot, blockHeight, epoch: 1n, slotIndex: 1n, slotsInEpoch: 432_000n, transactionCount: null }
      case "isBlockhashValid":
        return { context: { slot }, value: isValid }
      case "getSignatureStatuses":
        return { context: { slot }, value: Array.isArray(params[0]) ? params[0].map(() => null) : [] }
      case "getFirstAvailableBlock":
        return ledger
      default:
        return null
    }
  }
  return fake({
    host: hostOf(index),
    request: (method, params) =>
      hangs.includes(method)
        ? Effect.never
        : refuses.includes(method)
          ? fail("Node", { method, host: hostOf(index), code: -32603 })
          : Effect.delay(
              Effect.sync(() => answer(method, params)),
              millis
            )
  })
}

const READS = ["getEpochInfo", "isBlockhashValid", "getSignatureStatuses", "getFirstAvailableBlock"]

interface Scene {
  /** The nodes in the order in which they are asked. */
  readonly nodes: ReadonlyArray<Node>
  readonly options?: Endpoints.Options
  /** The slot of the first look-up. */
  readonly firstSlot?: bigint
  readonly count?: number
}

/** The outcomes after one check, which takes at most a minute. */
const outcomes = ({ count = 1, firstSlot, nodes, options = { genesis: "any" } }: Scene) =>
  Effect.gen(function* () {
    const endpoints = yield* Effect.forEach(nodes, (told, index) =>
      Endpoint.make({ weight: 100 ** (nodes.length - index), heartbeat: false })(node(told, index))
    )
    const pool = RpcPool.make(yield* Endpoints.make(endpoints, { probeInterval: Infinity, ...options }))
    const inFlight = new InFlight()
    const ended: Array<Exit.Exit<Landed, RpcError | TransactionError>> = []
    const entries = Array.from({ length: count }, (_, index) => {
      const signed = SignedTransaction.make({
        signature: Signatures.fromBytes(new Uint8Array(64).fill(1 + (index % 250))),
        wire: new Uint8Array(0),
        lifetime: { blockhash: Blockhashes.fromBytes(new Uint8Array(32).fill(1)), lastValidBlockHeight: LAST_HEIGHT },
        fee: 5000n
      })
      const transmission = new Transmission(
        signed,
        { commitment: "confirmed", preflight: false, firstTime: false },
        {
          send: () => Effect.never,
          startSend: undefined,
          report: () => assert.fail("it is not sent"),
          invalidate: () => {},
          blockhashCommitment: "confirmed"
        }
      )
      const entry = new Entry(
        transmission,
        { commitment: "confirmed", since: 0, deadline: Infinity },
        undefined,
        (outcome) => ended.push(Effect.runSyncExit(outcome))
      )
      entry.firstSlot = firstSlot
      inFlight.add(entry)
      return entry
    })
    const { expire } = Expirer.make(pool, () => undefined, StatusLookup.make(pool, inFlight), inFlight)
    const checking = yield* Effect.fork(expire(NEWEST, entries))
    yield* TestClock.adjust("1 minute")
    assert.isTrue(Option.isSome(yield* Fiber.poll(checking)))
    return ended.map((exit) =>
      Exit.match(exit, {
        onSuccess: () => "landed",
        onFailure: (cause) => (cause._tag === "Fail" ? cause.error.reason : "defect")
      })
    )
  }).pipe(Effect.scoped)

/** A node that is asked first, second and third among two honest ones. */
const places = (liar: Node): ReadonlyArray<ReadonlyArray<Node>> => [
  [liar, {}, {}],
  [{}, liar, {}],
  [{}, {}, liar]
]

describe("Expirer", () => {
  const liars: ReadonlyArray<readonly [string, Node]> = [
    ["refuses every read", { refuses: READS }],
    ["refuses the first read", { refuses: ["getEpochInfo"] }],
    ["refuses later reads", { refuses: READS.slice(1) }],
    ["hangs at every read", { hangs: READS }],
    ["hangs at later reads", { hangs: READS.slice(1) }],
    ["tells a low height at the newest slot", { absoluteSlot: NEWEST, blockHeight: 1n }],
    ["tells a height above its slot", { blockHeight: 2n ** 53n - 1n }],
    ["tells that the blockhash is valid", { isValid: true }],
    ["answers from an old bank", { slot: 1n }],
    ["has a ledger that begins later", { ledger: 4000n }]
  ]
  for (const [lie, liar] of liars) {
    it.effect(`Given two honest endpoints and one that ${lie}, Then the transaction is Expired in one check`, () =>
      Effect.gen(function* () {
        for (const nodes of places(liar)) assert.deepStrictEqual(yield* outcomes({ nodes }), ["Expired"])
      })
    )
  }

  it.effect(
    "Given a first look-up with a false slot, Then several endpoints end the transaction, and one does not",
    () =>
      Effect.gen(function* () {
        const firstSlot = 1_000_000n
        assert.deepStrictEqual(yield* outcomes({ nodes: [{}, {}], firstSlot }), ["Expired"])
        assert.deepStrictEqual(yield* outcomes({ nodes: [{}], firstSlot }), [])
      })
  )

  it.effect("Given endpoints of which one has not the whole ledger, Then the other one is not believed alone", () =>
    Effect.gen(function* () {
      const pruned = { ledger: 4000n }
      for (const nodes of [[pruned], [pruned, {}], [{}, pruned], [pruned, pruned, {}]]) {
        assert.deepStrictEqual(yield* outcomes({ nodes }), ["Unconfirmed"])
      }
      const down = { refuses: READS }
      assert.deepStrictEqual(yield* outcomes({ nodes: [{}, pruned, down] }), [])
    })
  )

  it.effect("Given an endpoint that does not answer from the start, Then the other one is not believed alone", () =>
    Effect.gen(function* () {
      const down = { refuses: ["getGenesisHash", ...READS] }
      for (const nodes of [
        [{}, down],
        [down, {}]
      ]) {
        assert.deepStrictEqual(yield* outcomes({ nodes, options: {} }), [])
      }
      assert.deepStrictEqual(yield* outcomes({ nodes: [down, {}, {}], options: {} }), ["Expired"])
      assert.deepStrictEqual(yield* outcomes({ nodes: [{}], options: {} }), ["Expired"])
    })
  )

  it.effect("Given endpoints that take a second for each answer, Then the transaction is Expired", () =>
    Effect.gen(function* () {
      const slow = { millis: 1000 }
      const hangs = { hangs: READS.slice(1) }
      assert.deepStrictEqual(yield* outcomes({ nodes: [slow] }), ["Expired"])
      assert.deepStrictEqual(yield* outcomes({ nodes: [hangs, slow, slow] }), ["Expired"])
    })
  )

  it.effect(
    "Given more transactions than endpoints can look up in time, Then those that they did look up are Expired",
    () =>
      Effect.gen(function* () {
        const slow = { millis: 1000 }
        const ended = yield* outcomes({ nodes: [slow, slow], count: 20 * StatusLookup.MAX_SIGNATURES })
        assert.isAtLeast(ended.length, StatusLookup.MAX_SIGNATURES)
        assert.isTrue(ended.every((reason) => reason === "Expired"))
      })
  )
})
