/** The decoders of all replies. */
import type { Address, Signature } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Base64 from "../../src/internal/base64.js"
import { model } from "../../src/internal/jsonable.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Lamports from "../../src/solana/Lamports.js"
import * as Turns from "../internal/eventLoop.js"
import * as LongResult from "../LongResult.js"
import { AccountInfo } from "./AccountInfo.js"
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

/** Caches the last result. The owner, space and lamports of consecutive accounts are mostly equal. */
const repeated = <A>(read: (input: unknown) => A | undefined): ((input: unknown) => A | undefined) => {
  let last: unknown
  let known: A | undefined
  return (input) => {
    if (known !== undefined && input === last) return known
    const value = read(input)
    if (value !== undefined) {
      last = input
      known = value
    }
    return value
  }
}

const integer = (input: unknown): bigint | undefined =>
  typeof input === "number" && input >= 0 && Number.isSafeInteger(input) ? BigInt(input) : undefined

const ownerOf = repeated((input) => (typeof input === "string" && Addresses.is(input) ? input : undefined))
const spaceOf = repeated(integer)
const lamportsOf = repeated((input) => {
  const amount = integer(input)
  return amount !== undefined && Lamports.is(amount) ? amount : undefined
})

/** Decodes a valid account fast, without paths for errors. `undefined` for any account that it does not recognise. */
const usualAccount = (address: Address, input: unknown): Reply.AccountInfo | undefined => {
  if (!Predicate.isRecord(input)) return undefined
  const { data, executable } = input
  const owner = ownerOf(input["owner"])
  const lamports = lamportsOf(input["lamports"])
  const space = spaceOf(input["space"])
  if (owner === undefined || lamports === undefined || space === undefined) return undefined
  if (typeof executable !== "boolean") return undefined
  if (!Array.isArray(data) || data.length !== 2 || data[1] !== "base64" || typeof data[0] !== "string") return undefined
  const bytes = Base64.codec.decode(data[0])
  return bytes === undefined ? undefined : new AccountInfo(address, bytes, lamports, owner, executable, space)
}

const anyAccount = (address: Address): Decode.Decoder<Reply.AccountInfo> =>
  Decode.object((field) =>
    Either.all({
      address: Either.right(address),
      data: field("data", Decode.base64),
      lamports: field("lamports", Decode.lamports),
      owner: field("owner", Decode.address),
      executable: field("executable", Decode.boolean),
      space: field("space", Decode.u64)
    })
  )

/** Decodes an account whose address is known from the request. */
export const account =
  (address: Address): Decode.Decoder<Reply.AccountInfo> =>
  (input) => {
    const usual = usualAccount(address, input)
    return usual === undefined ? anyAccount(address)(input) : Either.right(usual)
  }

const anyKeyedAccount: Decode.Decoder<Reply.AccountInfo> = Decode.object((field) =>
  Either.flatMap(field("pubkey", Decode.address), (address) => field("account", anyAccount(address)))
)

/** `{pubkey, account}`. */
export const keyedAccount: Decode.Decoder<Reply.AccountInfo> = (input) => {
  if (!Predicate.isRecord(input)) return anyKeyedAccount(input)
  const { account, pubkey } = input
  const usual = typeof pubkey === "string" && Addresses.is(pubkey) ? usualAccount(pubkey, account) : undefined
  return usual === undefined ? anyKeyedAccount(input) : Either.right(usual)
}

/** `{context: {slot}, value: [{pubkey, account}]}`. */
export const keyedAccounts = contextualList(keyedAccount, (items) => AccountTexts.keyed(items, keyedAccount))

/** An account in a list, before it gets the requested address. */
const listed = account(Addresses.SYSTEM_PROGRAM)

const listedAccounts = Decode.array(Decode.optional(listed))

/** `{context: {slot}, value}` with one account or `null` for each requested address. */
export const accounts = (addresses: ReadonlyArray<Address>) => {
  const exact = contextual(Decode.forEach(addresses, (address) => Decode.optional(account(address))))
  const addressed = ({ slot }: { readonly slot: bigint }, items: ReadonlyArray<Option.Option<Reply.AccountInfo>>) =>
    items.length === addresses.length
      ? Either.right(
          model({
            slot,
            value: Arr.zipWith(addresses, items, (address, item) =>
              Option.map(item, (account) => AccountTexts.withData(account, address, account.data))
            )
          })
        )
      : Either.left(undefined)
  return (
    result: unknown
  ): Effect.Effect<Reply.Contextual<ReadonlyArray<Option.Option<Reply.AccountInfo>>>, Decode.Mismatch> => {
    if (!(result instanceof LongResult.LongResult)) return exact(result)
    const items = LongResult.list(result, listedAccounts, (text) => AccountTexts.bare(text, listed))
    const read = Effect.flatMap(around(result.frame), (frame) =>
      Effect.flatMap(items, (items) => addressed(frame, items))
    )
    return Effect.catchAll(read, () => Either.flatMap(LongResult.atOnce(result), exact))
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
