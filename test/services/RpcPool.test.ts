import { assert, describe, it } from "@effect/vitest"
import type { Blockhash, Lamports } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as RetryPolicy from "../../services/RetryPolicy.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import type { RpcTransport, SubscriptionError } from "../../services/RpcTransport.js"
import * as Address from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import * as LamportsAmount from "../../src/solana/Lamports.js"
import * as Signature from "../../src/solana/Signature.js"
import { runs } from "../support/runs.js"

const A = Address.fromBytes(new Uint8Array(32).fill(1))
const B = Address.fromBytes(new Uint8Array(32).fill(2))
const HASH: Blockhash = Blockhashes.fromBytes(new Uint8Array(32).fill(3))
const SIGNATURE = Signature.fromBytes(new Uint8Array(64).fill(4))
const lamports = (amount: bigint): Lamports => Either.getOrThrow(LamportsAmount.make(amount))

const CONFIRMED = { commitment: "confirmed" }
const BASE64 = { ...CONFIRMED, encoding: "base64" }
const context = { slot: 5, apiVersion: "3.0.0" }
const U64_MAX = 18_446_744_073_709_551_615n

const account = { data: ["AQID", "base64"], executable: false, lamports: 10, owner: B, rentEpoch: U64_MAX, space: 3 }
const accountInfo = (address: typeof A): RpcPool.AccountInfo => ({
  address,
  data: Uint8Array.of(1, 2, 3),
  lamports: lamports(10n),
  owner: B,
  executable: false,
  space: 3n
})
const meta = {
  err: { InstructionError: [0, { Custom: 6001 }] },
  fee: 5000,
  preBalances: [1, U64_MAX],
  postBalances: [2, 3],
  logMessages: ["Program log: hi"],
  innerInstructions: [
    {
      index: 0,
      instructions: [{ programIdIndex: 1, accounts: [0], data: Base58.encode(Uint8Array.of(9)), stackHeight: 2 }]
    }
  ],
  computeUnitsConsumed: 42,
  returnData: { programId: B, data: ["AQ==", "base64"] },
  loadedAddresses: { writable: [A], readonly: [] }
}
const transactionMeta: RpcPool.TransactionMeta = {
  err: meta.err,
  fee: lamports(5000n),
  preBalances: [lamports(1n), lamports(U64_MAX)],
  postBalances: [lamports(2n), lamports(3n)],
  logs: meta.logMessages,
  innerInstructions: [
    {
      index: 0,
      instructions: [{ programIdIndex: 1, accounts: [0], data: Uint8Array.of(9), stackHeight: Option.some(2) }]
    }
  ],
  computeUnitsConsumed: Option.some(42n),
  returnData: Option.some({ programId: B, data: Uint8Array.of(1) }),
  loadedAddresses: { writable: [A], readonly: [] }
}

interface Case {
  readonly call: (rpc: RpcPool.Service) => Effect.Effect<unknown, unknown>
  readonly params: ReadonlyArray<unknown>
  readonly result: unknown
  readonly value: unknown
}

const at5 = (value: unknown) => ({ slot: 5n, value })

const cases: { readonly [method: string]: Case } = {
  getHealth: { call: (rpc) => rpc.getHealth, params: [], result: "ok", value: "ok" },
  getVersion: {
    call: (rpc) => rpc.getVersion,
    params: [],
    result: { "solana-core": "3.0.1", "feature-set": 7 },
    value: { solanaCore: "3.0.1", featureSet: Option.some(7) }
  },
  getIdentity: { call: (rpc) => rpc.getIdentity, params: [], result: { identity: A }, value: A },
  getGenesisHash: { call: (rpc) => rpc.getGenesisHash, params: [], result: HASH, value: HASH },
  getSlot: { call: (rpc) => rpc.getSlot(), params: [CONFIRMED], result: U64_MAX, value: U64_MAX },
  getBlockHeight: {
    call: (rpc) => rpc.getBlockHeight({ commitment: "finalized", minContextSlot: 3n }),
    params: [{ commitment: "finalized", minContextSlot: 3n }],
    result: 8n,
    value: 8n
  },
  getEpochInfo: {
    call: (rpc) => rpc.getEpochInfo(),
    params: [CONFIRMED],
    result: { absoluteSlot: 1, blockHeight: 2, epoch: 3, slotIndex: 4, slotsInEpoch: 5, transactionCount: null },
    value: {
      absoluteSlot: 1n,
      blockHeight: 2n,
      epoch: 3n,
      slotIndex: 4n,
      slotsInEpoch: 5n,
      transactionCount: Option.none()
    }
  },
  getEpochSchedule: {
    call: (rpc) => rpc.getEpochSchedule,
    params: [],
    result: {
      slotsPerEpoch: 1,
      leaderScheduleSlotOffset: 2,
      warmup: true,
      firstNormalEpoch: 3,
      firstNormalSlot: 4
    },
    value: {
      slotsPerEpoch: 1n,
      leaderScheduleSlotOffset: 2n,
      warmup: true,
      firstNormalEpoch: 3n,
      firstNormalSlot: 4n
    }
  },
  getBlock: {
    call: (rpc) => rpc.getBlock(6n),
    params: [6n, { ...BASE64, transactionDetails: "full", maxSupportedTransactionVersion: 0, rewards: false }],
    result: {
      blockhash: HASH,
      previousBlockhash: HASH,
      parentSlot: 5,
      blockHeight: 4,
      blockTime: 1_700_000_000,
      transactions: [{ transaction: ["AQI=", "base64"], meta, version: 0 }]
    },
    value: Option.some({
      blockhash: HASH,
      previousBlockhash: HASH,
      parentSlot: 5n,
      blockHeight: Option.some(4n),
      blockTime: Option.some(1_700_000_000n),
      transactions: [{ wire: Uint8Array.of(1, 2), version: 0, meta: Option.some(transactionMeta) }],
      signatures: []
    })
  },
  getBlocks: {
    call: (rpc) => rpc.getBlocks(1n),
    params: [1n, null, CONFIRMED],
    result: [1, 3],
    value: [1n, 3n]
  },
  getBlockTime: { call: (rpc) => rpc.getBlockTime(1n), params: [1n], result: -1, value: Option.some(-1n) },
  getFirstAvailableBlock: { call: (rpc) => rpc.getFirstAvailableBlock, params: [], result: 0, value: 0n },
  minimumLedgerSlot: { call: (rpc) => rpc.minimumLedgerSlot, params: [], result: 1, value: 1n },
  getLatestBlockhash: {
    call: (rpc) => rpc.getLatestBlockhash(),
    params: [CONFIRMED],
    result: { context, value: { blockhash: HASH, lastValidBlockHeight: 150 } },
    value: at5({ blockhash: HASH, lastValidBlockHeight: 150n })
  },
  isBlockhashValid: {
    call: (rpc) => rpc.isBlockhashValid(HASH),
    params: [HASH, CONFIRMED],
    result: { context, value: true },
    value: at5(true)
  },
  getFeeForMessage: {
    call: (rpc) => rpc.getFeeForMessage(Uint8Array.of(1)),
    params: ["AQ==", CONFIRMED],
    result: { context, value: null },
    value: at5(Option.none())
  },
  getRecentPrioritizationFees: {
    call: (rpc) => rpc.getRecentPrioritizationFees([A]),
    params: [[A]],
    result: [{ slot: 1, prioritizationFee: 2 }],
    value: [{ slot: 1n, prioritizationFee: 2n }]
  },
  getRecentPerformanceSamples: {
    call: (rpc) => rpc.getRecentPerformanceSamples(1),
    params: [1],
    result: [{ slot: 1, numSlots: 2, numTransactions: 3, samplePeriodSecs: 60 }],
    value: [
      { slot: 1n, numSlots: 2n, numTransactions: 3n, numNonVoteTransactions: Option.none(), samplePeriodSecs: 60 }
    ]
  },
  getMinimumBalanceForRentExemption: {
    call: (rpc) => rpc.getMinimumBalanceForRentExemption(0),
    params: [0, CONFIRMED],
    result: 890_880,
    value: 890_880n
  },
  getBalance: {
    call: (rpc) => rpc.getBalance(A),
    params: [A, CONFIRMED],
    result: { context, value: U64_MAX },
    value: at5(U64_MAX)
  },
  getAccountInfo: {
    call: (rpc) => rpc.getAccountInfo(A, { dataSlice: { offset: 0, length: 3 } }),
    params: [A, { ...BASE64, dataSlice: { offset: 0, length: 3 } }],
    result: { context, value: account },
    value: at5(Option.some(accountInfo(A)))
  },
  getMultipleAccounts: {
    call: (rpc) => rpc.getMultipleAccounts([A, B]),
    params: [[A, B], BASE64],
    result: { context, value: [null, account] },
    value: at5([Option.none(), Option.some(accountInfo(B))])
  },
  getProgramAccounts: {
    call: (rpc) =>
      rpc.getProgramAccounts(B, { filters: [{ dataSize: 3 }, { memcmp: { offset: 0, bytes: Uint8Array.of(1) } }] }),
    params: [
      B,
      {
        ...BASE64,
        filters: [{ dataSize: 3 }, { memcmp: { offset: 0, bytes: "AQ==", encoding: "base64" } }],
        withContext: true
      }
    ],
    result: { context, value: [{ pubkey: A, account }] },
    value: at5([accountInfo(A)])
  },
  getSupply: {
    call: (rpc) => rpc.getSupply(),
    params: [CONFIRMED],
    result: { context, value: { total: 3, circulating: 2, nonCirculating: 1, nonCirculatingAccounts: [A] } },
    value: at5({ total: 3n, circulating: 2n, nonCirculating: 1n, nonCirculatingAccounts: [A] })
  },
  getTransactionCount: { call: (rpc) => rpc.getTransactionCount(), params: [CONFIRMED], result: 1, value: 1n },
  getSignatureStatuses: {
    call: (rpc) => rpc.getSignatureStatuses([SIGNATURE, SIGNATURE], { searchTransactionHistory: true }),
    params: [[SIGNATURE, SIGNATURE], { searchTransactionHistory: true }],
    result: { context, value: [null, { slot: 4, confirmations: null, err: null, confirmationStatus: "finalized" }] },
    value: at5([
      Option.none(),
      Option.some({ slot: 4n, confirmations: Option.none(), err: null, confirmationStatus: Option.some("finalized") })
    ])
  },
  getSignaturesForAddress: {
    call: (rpc) => rpc.getSignaturesForAddress(A, { before: SIGNATURE, limit: 10 }),
    params: [A, { ...CONFIRMED, before: SIGNATURE, limit: 10 }],
    result: [{ signature: SIGNATURE, slot: 1, err: null, memo: null, blockTime: 2, confirmationStatus: "confirmed" }],
    value: [
      {
        signature: SIGNATURE,
        slot: 1n,
        err: null,
        memo: Option.none(),
        blockTime: Option.some(2n),
        confirmationStatus: Option.some("confirmed")
      }
    ]
  },
  getTransaction: {
    call: (rpc) => rpc.getTransaction(SIGNATURE),
    params: [SIGNATURE, { ...BASE64, maxSupportedTransactionVersion: 0 }],
    result: { slot: 3, blockTime: null, transaction: ["AQI=", "base64"], meta, version: "legacy" },
    value: Option.some({
      slot: 3n,
      blockTime: Option.none(),
      wire: Uint8Array.of(1, 2),
      version: "legacy",
      meta: Option.some(transactionMeta)
    })
  },
  requestAirdrop: {
    call: (rpc) => rpc.requestAirdrop(A, lamports(1n)),
    params: [A, 1n, CONFIRMED],
    result: SIGNATURE,
    value: SIGNATURE
  },
  sendTransaction: {
    call: (rpc) => rpc.sendTransaction(Uint8Array.of(1, 2, 3), { skipPreflight: true, maxRetries: 0 }),
    params: ["AQID", { encoding: "base64", skipPreflight: true, preflightCommitment: "confirmed", maxRetries: 0 }],
    result: SIGNATURE,
    value: SIGNATURE
  },
  simulateTransaction: {
    call: (rpc) => rpc.simulateTransaction(Uint8Array.of(1), { sigVerify: false, accounts: [A] }),
    params: ["AQ==", { ...BASE64, sigVerify: false, accounts: { addresses: [A], encoding: "base64" } }],
    result: {
      context,
      value: { err: "AccountNotFound", logs: null, unitsConsumed: 1, accounts: [account], replacementBlockhash: null }
    },
    value: at5({
      err: "AccountNotFound",
      logs: [],
      unitsConsumed: Option.some(1n),
      accounts: [Option.some(accountInfo(A))],
      returnData: Option.none(),
      replacementBlockhash: Option.none()
    })
  }
}

const unused = Effect.dieMessage("not part of this test")

const transport = (parts: Partial<RpcTransport>): RpcTransport => ({
  host: "node.test:8899",
  request: () => unused,
  batch: () => unused,
  subscribe: () => Stream.die("not part of this test"),
  ...parts
})

describe("RpcPool", () => {
  it.effect.each(Object.entries(cases))(
    "Given the node's reply, When %s is called, Then it is sent and read",
    ([method, expected]) =>
      Effect.gen(function* () {
        const asked: Array<unknown> = []
        const rpc = RpcPool.make(
          transport({
            request: (method, params) =>
              Effect.sync(() => {
                asked.push([method, params])
                return expected.result
              })
          })
        )

        const value = yield* expected.call(rpc)

        assert.deepStrictEqual(asked, [[method, expected.params]])
        assert.deepStrictEqual(value, expected.value)
      })
  )

  it.effect("Given replies of any shape, When any method reads them, Then it succeeds or fails with Decode", () =>
    Effect.gen(function* () {
      // Given: arbitrary values, and good replies with one member replaced or removed
      const calls = Object.entries(cases)
      const hostile = FastCheck.tuple(
        FastCheck.constantFrom(...calls),
        FastCheck.anything({ withBigInt: true, maxDepth: 2, maxKeys: 4 }),
        FastCheck.nat()
      )
      const samples = FastCheck.sample(hostile, runs(1000))
      for (const [[method, { call, result }], value, position] of samples) {
        for (const reply of [value, mutated(result, position, value)]) {
          const rpc = RpcPool.make(transport({ request: () => Effect.succeed(reply) }))
          const exit = yield* Effect.exit(call(rpc))
          if (Exit.isSuccess(exit)) continue
          const error = Cause.failureOption(exit.cause)
          assert.isTrue(Option.isSome(error) && error.value instanceof RpcError, Cause.pretty(exit.cause))
          if (Option.isSome(error) && error.value instanceof RpcError) {
            assert.deepStrictEqual([error.value.reason, error.value.method], ["Decode", method])
          }
        }
      }
    })
  )

  it.effect("Given a reply with one wrong member, When it is read, Then the error names the path, not the value", () =>
    Effect.gen(function* () {
      const accounts = [
        { pubkey: A, account },
        { pubkey: A, account: { ...account, owner: "SECRET" } }
      ]
      const rpc = RpcPool.make(transport({ request: () => Effect.succeed({ context, value: accounts }) }))

      const error = yield* Effect.flip(rpc.getProgramAccounts(B))

      assert.strictEqual(
        error.message,
        "getProgramAccounts at node.test:8899: expected an address at result.value[1].account.owner; use another endpoint"
      )
    })
  )

  it.effect(
    "Given more items than a node accepts, When a call is made, Then it fails with InvalidInput before any I/O",
    () =>
      Effect.gen(function* () {
        const rpc = RpcPool.make(transport({}))
        const errors = yield* Effect.all([
          Effect.flip(rpc.getMultipleAccounts(Array.from({ length: 101 }, () => A))),
          Effect.flip(rpc.getSignatureStatuses(Array.from({ length: 257 }, () => SIGNATURE))),
          Effect.flip(rpc.getLedgerStatuses(Array.from({ length: 257 }, () => SIGNATURE))),
          Effect.flip(rpc.getSignaturesForAddress(A, { limit: 0 }))
        ])
        assert.deepStrictEqual(
          errors.map((error) => (error instanceof RpcError ? error.reason : [error.field, error.size])),
          [
            ["addresses", 101],
            ["signatures", 257],
            ["signatures", 257],
            ["limit", 0]
          ]
        )
      })
  )

  it.effect(
    "Given a ledger, When statuses in it are read, Then one array asks for them and for the ledger's first slot",
    () =>
      Effect.gen(function* () {
        const asked: Array<unknown> = []
        const rpc = RpcPool.make(
          transport({
            batch: (calls) =>
              Effect.map(RetryPolicy.RetryPolicy, (retries) => {
                asked.push(retries, calls)
                return [Either.right({ context, value: [null] }), Either.right(3)]
              })
          })
        )

        const statuses = yield* rpc.getLedgerStatuses([SIGNATURE])

        assert.deepStrictEqual(asked, [
          "never",
          [
            { method: "getSignatureStatuses", params: [[SIGNATURE], { searchTransactionHistory: true }] },
            { method: "getFirstAvailableBlock", params: [] }
          ]
        ])
        assert.deepStrictEqual(statuses, { slot: 5n, value: [Option.none()], firstSlot: 3n })
      })
  )

  it.effect(
    "Given an array with a wrong or missing item, When statuses are read, Then the error names its method",
    () =>
      Effect.gen(function* () {
        const refused = new RpcError({
          reason: "Node",
          method: "getFirstAvailableBlock",
          code: -32601,
          detail: "unknown"
        })
        const answers: ReadonlyArray<
          readonly [ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError["reason"], string]
        > = [
          [[], "Decode", "getSignatureStatuses"],
          [[Either.right({ context, value: [] }), Either.right(0)], "Decode", "getSignatureStatuses"],
          [[Either.right({ context, value: [null] })], "Decode", "getFirstAvailableBlock"],
          [[Either.right({ context, value: [null] }), Either.right("0")], "Decode", "getFirstAvailableBlock"],
          [[Either.right({ context, value: [null] }), Either.left(refused)], "Node", "getFirstAvailableBlock"]
        ]
        for (const [answer, reason, method] of answers) {
          const rpc = RpcPool.make(transport({ batch: () => Effect.succeed(answer) }))
          const error = yield* Effect.flip(rpc.getLedgerStatuses([SIGNATURE]))
          assert.deepInclude(error, { reason, method })
        }
      })
  )

  it.effect(
    "Given notifications, When a Stream reads them, Then they are decoded, and an invalid one ends the Stream",
    () =>
      Effect.gen(function* () {
        const rpc = RpcPool.make(
          transport({ subscribe: (kind) => Stream.make(kind === "slot" ? { slot: 1, parent: 0, root: 0 } : -1) })
        )

        const slots = yield* Stream.runCollect(rpc.slotSubscribe)
        const error: SubscriptionError = yield* Effect.flip(Stream.runDrain(rpc.rootSubscribe))

        assert.deepStrictEqual(Chunk.toReadonlyArray(slots), [{ slot: 1n, parent: 0n, root: 0n }])
        assert.strictEqual(
          error.message,
          "rootSubscribe at node.test:8899: expected a u64 at result; use another endpoint"
        )
      })
  )

  it.effect("Given the default commitment processed, When blocks are read, Then the call asks for confirmed", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const rpc = RpcPool.make(
        transport({ request: (_, params) => Effect.sync(() => void asked.push(params[params.length - 1])) }),
        { commitment: "processed" }
      )
      yield* Effect.all([Effect.either(rpc.getSlot()), Effect.either(rpc.getBlocks(1n, 2n))])
      assert.deepStrictEqual(asked, [{ commitment: "processed" }, { commitment: "confirmed" }])
    })
  )

  it("Given an error with integers beyond 2^53, When it is written as JSON, Then they are decimal strings", () => {
    const error = new RpcError({ reason: "Node", method: "x", detail: "d", code: -32002, data: { rentEpoch: U64_MAX } })
    assert.include(JSON.stringify(error), '"rentEpoch":"18446744073709551615"')
  })
})

/** The value with one of its members, counted depth first, replaced; or removed where the replacement is undefined. */
const mutated = (value: unknown, position: number, replacement: unknown): unknown => {
  const size = membersOf(value)
  return size === 0 ? replacement : replaceAt(value, position % size, replacement)
}

const membersOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Object.values(value).reduce((sum: number, member) => sum + 1 + membersOf(member), 0)
    : 0

const replaceAt = (value: unknown, position: number, replacement: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  let next = 0
  const entries = Object.entries(value).map(([key, member]): readonly [string, unknown] => {
    const start = next
    next += 1 + membersOf(member)
    if (position === start) return [key, replacement]
    return [key, position > start && position < next ? replaceAt(member, position - start - 1, replacement) : member]
  })
  return Array.isArray(value) ? entries.map(([, member]) => member) : Object.fromEntries(entries)
}
