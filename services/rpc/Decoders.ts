/** The decoders of all replies. */
import type { Address, Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { model } from "../../src/internal/jsonable.js"
import * as Turns from "../internal/eventLoop.js"
import * as LongResult from "../LongResult.js"
import { account, keyedAccount } from "./AccountDecoder.js"
import * as AccountTexts from "./AccountTexts.js"
import * as Decode from "./Decode.js"
import type * as Reply from "./Reply.js"

/** `{context: {slot}, value}`. */
export const contextual = <A>(value: Decode.Decoder<A>): Decode.Decoder<Reply.Contextual<A>> =>
  Decode.object((field) =>
    Either.all({
      slot: field(
        "context",
        Decode.object((field) => field("slot", Decode.u64))
      ),
      value: field("value", value)
    })
  )

/** Items per part of a list. A part is decoded in a fraction of a millisecond. */
const PART = 256

/** The slot of a result, and its value as it is. */
const around = contextual<unknown>(Either.right)

/** As {@link contextual}, for a list that may be long. It yields to the event loop between parts of the list. */
export const contextualList = <A>(
  item: Decode.Decoder<A>,
  quick: (items: string) => ReadonlyArray<A> | undefined = () => undefined
) => {
  const list = Decode.array(item)
  const atOnce = contextual(list)
  return (result: unknown): Effect.Effect<Reply.Contextual<ReadonlyArray<A>>, Decode.Mismatch> => {
    const long = result instanceof LongResult.LongResult
    const inTurns = Effect.flatMap(around(long ? result.frame : result), ({ slot, value }) => {
      const items = long
        ? LongResult.list(result, list, quick)
        : Array.isArray(value)
          ? Turns.flatMap(Turns.partsOf<unknown>(value, PART), list)
          : list(value)
      return Effect.map(items, (value) => model({ slot, value }))
    })
    return Effect.catchAll(inTurns, () => (long ? Either.flatMap(LongResult.atOnce(result), atOnce) : atOnce(result)))
  }
}

/** `{context: {slot}, value: [{pubkey, account}]}`. */
export const keyedAccounts = contextualList(keyedAccount, (items) => AccountTexts.keyed(items, keyedAccount))

/** `{context: {slot}, value}` with one account or `null` for each requested address. */
export const accounts = (addresses: ReadonlyArray<Address>) => {
  const parsed = contextual(Decode.forEach(addresses, (address) => Decode.optional(account(address))))
  return (result: unknown): ReturnType<typeof parsed> => {
    if (!(result instanceof LongResult.AccountsResult)) return parsed(result)
    const value = result.at(addresses)
    const read = value === undefined ? undefined : Either.getOrUndefined(around(result.frame))
    return value === undefined || read === undefined
      ? Either.flatMap(LongResult.atOnce(result), parsed)
      : Either.right(model({ slot: read.slot, value }))
  }
}

export const latestBlockhash: Decode.Decoder<Reply.LatestBlockhash> = Decode.object((field) =>
  Either.all({
    blockhash: field("blockhash", Decode.blockhash),
    lastValidBlockHeight: field("lastValidBlockHeight", Decode.u64)
  })
)

const signatureStatus: Decode.Decoder<Reply.SignatureStatus> = Decode.object((field) =>
  Either.all({
    slot: field("slot", Decode.u64),
    confirmations: field("confirmations", Decode.optional(Decode.u64)),
    err: field("err", Decode.failure),
    confirmationStatus: field("confirmationStatus", Decode.optional(Decode.commitment))
  })
)

/** One status for each requested signature. */
export const signatureStatuses = (signatures: ReadonlyArray<Signature>) =>
  contextual(Decode.forEach(signatures, () => Decode.optional(signatureStatus)))

export const signatureInfo: Decode.Decoder<Reply.SignatureInfo> = Decode.object((field) =>
  Either.all({
    signature: field("signature", Decode.signature),
    slot: field("slot", Decode.u64),
    err: field("err", Decode.failure),
    memo: field("memo", Decode.optional(Decode.string)),
    blockTime: field("blockTime", Decode.optional(Decode.i64)),
    confirmationStatus: field("confirmationStatus", Decode.optional(Decode.commitment))
  })
)

const innerInstruction: Decode.Decoder<Reply.InnerInstruction> = Decode.object((field) =>
  Either.all({
    programIdIndex: field("programIdIndex", Decode.u32),
    accounts: field("accounts", Decode.array(Decode.u32)),
    data: field("data", Decode.callData),
    stackHeight: field("stackHeight", Decode.optional(Decode.u32))
  })
)

const innerInstructions: Decode.Decoder<Reply.InnerInstructions> = Decode.object((field) =>
  Either.all({
    index: field("index", Decode.u32),
    instructions: field("instructions", Decode.array(innerInstruction))
  })
)

const returnData: Decode.Decoder<Reply.ReturnData> = Decode.object((field) =>
  Either.all({ programId: field("programId", Decode.address), data: field("data", Decode.base64) })
)

const loadedAddresses: Decode.Decoder<Reply.TransactionMeta["loadedAddresses"]> = Decode.object((field) =>
  Either.all({
    writable: field("writable", Decode.array(Decode.address)),
    readonly: field("readonly", Decode.array(Decode.address))
  })
)

const transactionMeta: Decode.Decoder<Reply.TransactionMeta> = Decode.object((field) =>
  Either.all({
    err: field("err", Decode.failure),
    fee: field("fee", Decode.lamports),
    preBalances: field("preBalances", Decode.array(Decode.lamports)),
    postBalances: field("postBalances", Decode.array(Decode.lamports)),
    logs: field("logMessages", Decode.withDefault(Decode.array(Decode.string), [])),
    innerInstructions: field("innerInstructions", Decode.withDefault(Decode.array(innerInstructions), [])),
    computeUnitsConsumed: field("computeUnitsConsumed", Decode.optional(Decode.u64)),
    returnData: field("returnData", Decode.optional(returnData)),
    loadedAddresses: field("loadedAddresses", Decode.withDefault(loadedAddresses, { writable: [], readonly: [] }))
  })
)

const version: Decode.Decoder<"legacy" | number> = (input) =>
  input === undefined || input === "legacy" ? Either.right("legacy") : Decode.u32(input)

const blockTransactionFields = (field: Decode.Field) => ({
  wire: field("transaction", Decode.base64),
  version: field("version", version),
  meta: field("meta", Decode.optional(transactionMeta))
})

export const confirmedTransaction: Decode.Decoder<Reply.ConfirmedTransaction> = Decode.object((field) =>
  Either.all({
    ...blockTransactionFields(field),
    slot: field("slot", Decode.u64),
    blockTime: field("blockTime", Decode.optional(Decode.i64))
  })
)

const blockTransaction: Decode.Decoder<Reply.BlockTransaction> = Decode.object((field) =>
  Either.all(blockTransactionFields(field))
)

export const block: Decode.Decoder<Reply.Block> = Decode.object((field) =>
  Either.all({
    blockhash: field("blockhash", Decode.blockhash),
    previousBlockhash: field("previousBlockhash", Decode.blockhash),
    parentSlot: field("parentSlot", Decode.u64),
    blockHeight: field("blockHeight", Decode.optional(Decode.u64)),
    blockTime: field("blockTime", Decode.optional(Decode.i64)),
    transactions: field("transactions", Decode.withDefault(Decode.array(blockTransaction), [])),
    signatures: field("signatures", Decode.withDefault(Decode.array(Decode.signature), []))
  })
)

/** The reply to a simulation that requested these accounts. */
export const simulation = (accounts: ReadonlyArray<Address>): Decode.Decoder<Reply.Simulation> =>
  Decode.object((field) =>
    Either.all({
      err: field("err", Decode.failure),
      logs: field("logs", Decode.withDefault(Decode.array(Decode.string), [])),
      unitsConsumed: field("unitsConsumed", Decode.optional(Decode.u64)),
      accounts:
        accounts.length === 0
          ? Either.right([])
          : field(
              "accounts",
              Decode.forEach(accounts, (address) => Decode.optional(account(address)))
            ),
      returnData: field("returnData", Decode.optional(returnData)),
      replacementBlockhash: field("replacementBlockhash", Decode.optional(latestBlockhash))
    })
  )

export const epochInfo: Decode.Decoder<Reply.EpochInfo> = Decode.object((field) =>
  Either.all({
    absoluteSlot: field("absoluteSlot", Decode.u64),
    blockHeight: field("blockHeight", Decode.u64),
    epoch: field("epoch", Decode.u64),
    slotIndex: field("slotIndex", Decode.u64),
    slotsInEpoch: field("slotsInEpoch", Decode.u64),
    transactionCount: field("transactionCount", Decode.optional(Decode.u64))
  })
)

export const epochSchedule: Decode.Decoder<Reply.EpochSchedule> = Decode.object((field) =>
  Either.all({
    slotsPerEpoch: field("slotsPerEpoch", Decode.u64),
    leaderScheduleSlotOffset: field("leaderScheduleSlotOffset", Decode.u64),
    warmup: field("warmup", Decode.boolean),
    firstNormalEpoch: field("firstNormalEpoch", Decode.u64),
    firstNormalSlot: field("firstNormalSlot", Decode.u64)
  })
)

export const nodeVersion: Decode.Decoder<Reply.NodeVersion> = Decode.object((field) =>
  Either.all({
    solanaCore: field("solana-core", Decode.string),
    featureSet: field("feature-set", Decode.optional(Decode.u32))
  })
)

/** `{identity}`. */
export const identity: Decode.Decoder<Address> = Decode.object((field) => field("identity", Decode.address))

/** `ok`. */
export const health: Decode.Decoder<"ok"> = Decode.guard('"ok"', (input) => input === "ok")

export const prioritizationFee: Decode.Decoder<Reply.PrioritizationFee> = Decode.object((field) =>
  Either.all({
    slot: field("slot", Decode.u64),
    prioritizationFee: field("prioritizationFee", Decode.u64)
  })
)

export const performanceSample: Decode.Decoder<Reply.PerformanceSample> = Decode.object((field) =>
  Either.all({
    slot: field("slot", Decode.u64),
    numSlots: field("numSlots", Decode.u64),
    numTransactions: field("numTransactions", Decode.u64),
    numNonVoteTransactions: field("numNonVoteTransactions", Decode.optional(Decode.u64)),
    samplePeriodSecs: field("samplePeriodSecs", Decode.u32)
  })
)

export const supply: Decode.Decoder<Reply.Supply> = Decode.object((field) =>
  Either.all({
    total: field("total", Decode.lamports),
    circulating: field("circulating", Decode.lamports),
    nonCirculating: field("nonCirculating", Decode.lamports),
    nonCirculatingAccounts: field("nonCirculatingAccounts", Decode.array(Decode.address))
  })
)

export const transactionLogs: Decode.Decoder<Reply.TransactionLogs> = Decode.object((field) =>
  Either.all({
    signature: field("signature", Decode.signature),
    err: field("err", Decode.failure),
    logs: field("logs", Decode.array(Decode.string))
  })
)

/** The notification of a signature subscription: `{err}`. */
export const signatureResult: Decode.Decoder<{ readonly err: unknown }> = Decode.object((field) =>
  Either.all({ err: field("err", Decode.failure) })
)

export const slotInfo: Decode.Decoder<Reply.SlotInfo> = Decode.object((field) =>
  Either.all({
    slot: field("slot", Decode.u64),
    parent: field("parent", Decode.u64),
    root: field("root", Decode.u64)
  })
)
