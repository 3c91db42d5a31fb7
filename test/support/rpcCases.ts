import type { Blockhash, Lamports } from "@solana/kit"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as RpcPool from "../../services/RpcPool.js"
import * as Address from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import * as LamportsAmount from "../../src/solana/Lamports.js"
import * as Signature from "../../src/solana/Signature.js"

export const A = Address.fromBytes(new Uint8Array(32).fill(1))
export const B = Address.fromBytes(new Uint8Array(32).fill(2))
const HASH: Blockhash = Blockhashes.fromBytes(new Uint8Array(32).fill(3))
export const SIGNATURE = Signature.fromBytes(new Uint8Array(64).fill(4))
const lamports = (amount: bigint): Lamports => Either.getOrThrow(LamportsAmount.make(amount))

const CONFIRMED = { commitment: "confirmed" }
const BASE64 = { ...CONFIRMED, encoding: "base64" }
export const context = { slot: 5, apiVersion: "3.0.0" }
export const U64_MAX = 18_446_744_073_709_551_615n

export const account = {
  data: ["AQID", "base64"],
  executable: false,
  lamports: 10,
  owner: B,
  rentEpoch: U64_MAX,
  space: 3
}
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

/** A call of the pool, the parameters that it sends, a result of the node, and the decoded value. */
interface Case {
  readonly call: (rpc: RpcPool.Service) => Effect.Effect<unknown, unknown>
  readonly params: ReadonlyArray<unknown>
  readonly result: unknown
  readonly value: unknown
}

const at5 = (value: unknown) => ({ slot: 5n, value })

/** One case for each method. */
export const cases: { readonly [method: string]: Case } = {
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
