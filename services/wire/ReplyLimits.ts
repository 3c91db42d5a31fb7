/** How many bytes a reply may have, by the method that was called. */
import type { RpcCall } from "../RpcTransport.js"

/** Bytes of a small reply, by default. The longest is of `sendTransaction`: an error with 10 KB of logs. */
export const SMALL = 128 * 1024

/** A reply of some thousand signatures, or of one transaction, in small ones. */
const MEDIUM = 16

const SMALL_REPLIES: ReadonlySet<string> = new Set([
  "getBalance",
  "getBlockHeight",
  "getBlockTime",
  "getEpochInfo",
  "getEpochSchedule",
  "getFeeForMessage",
  "getFirstAvailableBlock",
  "getGenesisHash",
  "getHealth",
  "getHighestSnapshotSlot",
  "getIdentity",
  "getLatestBlockhash",
  "getMaxRetransmitSlot",
  "getMaxShredInsertSlot",
  "getMinimumBalanceForRentExemption",
  "getRecentPrioritizationFees",
  "getSignatureStatuses",
  "getSlot",
  "getSlotLeader",
  "getTransactionCount",
  "getVersion",
  "isBlockhashValid",
  "minimumLedgerSlot",
  "requestAirdrop",
  "sendTransaction"
])

const MEDIUM_REPLIES: ReadonlySet<string> = new Set([
  "getRecentPerformanceSamples",
  "getSignaturesForAddress",
  "getSupply",
  "getTransaction"
])

export interface ReplyLimits {
  readonly one: (method: string) => number
  /** Of an array of calls. */
  readonly many: (calls: ReadonlyArray<RpcCall>) => number
}

/** The limits of one endpoint. A method that is not known may reply as much as any. */
export const make = ({
  maxReplyBytes,
  maxSmallReplyBytes
}: {
  readonly maxReplyBytes: number
  readonly maxSmallReplyBytes: number
}): ReplyLimits => {
  const small = Math.min(maxSmallReplyBytes, maxReplyBytes)
  const medium = Math.min(MEDIUM * maxSmallReplyBytes, maxReplyBytes)
  const one = (method: string): number =>
    SMALL_REPLIES.has(method) ? small : MEDIUM_REPLIES.has(method) ? medium : maxReplyBytes
  return {
    one,
    many: (calls) =>
      Math.min(
        calls.reduce((sum, { method }) => sum + one(method), 0),
        maxReplyBytes
      )
  }
}
