/** JSON-RPC calls to a node with parameters of any type. */
import * as FastCheck from "effect/FastCheck"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Json from "../../src/solana/Json.js"

const METHODS = [
  "getHealth",
  "getVersion",
  "getIdentity",
  "getGenesisHash",
  "getSlot",
  "getBlockHeight",
  "getEpochInfo",
  "getEpochSchedule",
  "getBlock",
  "getBlocks",
  "getBlockTime",
  "getFirstAvailableBlock",
  "minimumLedgerSlot",
  "getLatestBlockhash",
  "isBlockhashValid",
  "getFeeForMessage",
  "getRecentPrioritizationFees",
  "getRecentPerformanceSamples",
  "getMinimumBalanceForRentExemption",
  "getBalance",
  "getAccountInfo",
  "getMultipleAccounts",
  "getProgramAccounts",
  "getSupply",
  "getTransactionCount",
  "getSignatureStatuses",
  "getSignaturesForAddress",
  "getTransaction",
  "requestAirdrop",
  "sendTransaction",
  "simulateTransaction",
  "getTokenAccountBalance",
  "getTokenSupply",
  "getTokenLargestAccounts",
  "getTokenAccountsByOwner",
  "getTokenAccountsByDelegate",
  "getLargestAccounts",
  "getLeaderSchedule",
  "getSlotLeader",
  "getSlotLeaders",
  "getBlockProduction",
  "getVoteAccounts",
  "getInflationGovernor",
  "getInflationRate",
  "getInflationReward",
  "getStakeMinimumDelegation",
  "getClusterNodes",
  "getMaxRetransmitSlot",
  "getMaxShredInsertSlot",
  "getBlockCommitment",
  "getBlocksWithLimit",
  "getHighestSnapshotSlot"
]

const KEYS = [
  "commitment",
  "encoding",
  "filters",
  "memcmp",
  "dataSize",
  "dataSlice",
  "offset",
  "length",
  "bytes",
  "minContextSlot",
  "skipPreflight",
  "sigVerify",
  "replaceRecentBlockhash",
  "accounts",
  "addresses",
  "limit",
  "before",
  "transactionDetails",
  "maxSupportedTransactionVersion",
  "mint",
  "programId",
  "identity",
  "range",
  "firstSlot",
  "lastSlot",
  "filter",
  "epoch"
]

const words = FastCheck.constantFrom(
  "processed",
  "confirmed",
  "finalized",
  "base58",
  "base64",
  "jsonParsed",
  "full",
  PROGRAM_ID,
  "11111111111111111111111111111111",
  "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
  "So11111111111111111111111111111111111111112",
  "SysvarC1ock11111111111111111111111111111111",
  "",
  "__proto__"
)

const scalar = FastCheck.oneof(
  words,
  FastCheck.string({ maxLength: 100 }),
  FastCheck.integer(),
  FastCheck.double(),
  FastCheck.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  FastCheck.boolean(),
  FastCheck.constant(null),
  FastCheck.uint8Array({ maxLength: 1300 }).map(Base64.encode),
  FastCheck.uint8Array({ minLength: 30, maxLength: 66 }).map(Base58.encode)
)

const object = FastCheck.dictionary(FastCheck.oneof(FastCheck.constantFrom(...KEYS), FastCheck.string()), scalar, {
  maxKeys: 5
})

const value = FastCheck.oneof(
  scalar,
  object,
  FastCheck.array(FastCheck.oneof(scalar, object), { maxLength: 5 }),
  FastCheck.dictionary(FastCheck.constantFrom(...KEYS), object, { maxKeys: 3 })
)

export const request = FastCheck.record({
  jsonrpc: FastCheck.constantFrom("2.0", "2.0", "2.0", "1.0"),
  id: FastCheck.oneof({ weight: 5, arbitrary: FastCheck.integer() }, { weight: 1, arbitrary: value }),
  method: FastCheck.constantFrom(...METHODS),
  params: FastCheck.oneof(
    { weight: 5, arbitrary: FastCheck.array(value, { maxLength: 4 }) },
    { weight: 1, arbitrary: value }
  )
}).map(Json.stringify)
