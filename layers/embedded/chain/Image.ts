/**
 * A chain's state as bytes, for its ledger folder: the machine, and the chain's own data.
 *
 * Invariants: reading an image restores the written state, so a chain continues from it as from its inputs. A
 * transaction that the ledger, a block and the open block share is written once, and shared again after reading. Bytes
 * of another genesis, numbers that a chain cannot have, and parts that contradict each other are not an image.
 */
import type { Address, Blockhash, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Blockhashes_ from "../../../src/solana/Blockhash.js"
import { MAX_ACCOUNT_BYTES } from "../../../src/solana/Limits.js"
import * as Signatures from "../../../src/solana/Signature.js"
import type { Settings } from "../Options.js"
import * as AnyTransaction from "./AnyTransaction.js"
import { Blockhashes } from "./Blockhashes.js"
import type { ChainState } from "./ChainState.js"
import * as Layout from "./Layout.js"
import { type Block, Ledger, type Status, type TransactionRecord } from "./Ledger.js"
import { assemble } from "./LoadedTransaction.js"
import { SlotHashReaders } from "./SlotHashReaders.js"
import type { StoredAccount } from "./StoredAccount.js"
import type { InnerInstruction, Outcome, Svm } from "./Svm.js"
import * as Sysvars from "./Sysvars.js"
import type { TokenBalance } from "./TokenAccounts.js"
import type { TransactionError } from "./TransactionErrors.js"
import { Writer } from "./Writer.js"

/** The content of an image. `given` is the last blockhash that a client received. */
export interface Image {
  readonly genesis: Blockhash
  readonly state: ChainState
  readonly given: Blockhash | undefined
}

/** Writes an image. The machine must show the sysvars of the newest bank. */
export const encode = ({ genesis, given, state }: Image): Uint8Array => {
  const to = new Writer()
  const { accounts, ledger } = state
  const { blocks, prunedSlot, records, statuses } = ledger.parts
  const indexOf = new Map<TransactionRecord, number>()
  const holders: ReadonlyArray<{ readonly records: ReadonlyArray<TransactionRecord> }> = [
    { records },
    ...blocks,
    ...state.recent,
    state.last,
    ...(state.open === undefined ? [] : [state.open])
  ]
  for (const { records } of holders) {
    for (const record of records) if (!indexOf.has(record)) indexOf.set(record, indexOf.size)
  }
  const references = (records: ReadonlyArray<TransactionRecord>) =>
    to.list(records, (record) => to.u32(indexOf.get(record) ?? 0))
  const block = (block: Omit<Block, "blockhash" | "previousBlockhash">) => {
    to.f64(block.slot)
    to.f64(block.parentSlot)
    to.f64(block.height)
    to.i64(block.time)
    references(block.records)
  }
  const complete = (complete: Block) => {
    to.text(complete.previousBlockhash)
    to.text(complete.blockhash)
    block(complete)
  }

  to.text(genesis)
  to.blob(state.svm.toBytes())
  to.list(accounts.undoRecords, ([slot, before]) => {
    to.f64(slot)
    to.list(before, ([address, account]) => {
      to.address(address)
      to.option(account, (stored) => writeAccount(to, stored))
    })
  })
  to.list(accounts.addresses, (address) => to.address(address))
  to.list(indexOf.keys(), (record) => writeRecord(to, record))
  references(records)
  to.list(blocks, complete)
  to.list(statuses, (status) => writeStatus(to, status))
  to.f64(prunedSlot + 1)
  to.list(state.blockhashes.parts.entries, ({ blockhash, height, slot }) => {
    to.text(blockhash)
    to.f64(slot)
    to.f64(height)
  })
  to.f64(state.blockhashes.parts.floor)
  to.blob(state.slotHashes.data)
  to.list(state.slotHashReaders.addresses, (address) => to.address(address))
  to.f64(state.shownTime.slot)
  to.i64(state.shownTime.time)
  complete(state.last)
  to.option(state.open, block)
  to.list(state.recent, ({ height, records, slot }) => {
    to.f64(slot)
    to.f64(height)
    references(records)
  })
  to.i64(state.epochStart)
  to.f64(state.aheadMillis)
  to.f64(state.transactionCount)
  to.i128(state.lamports)
  to.list(state.samples, ({ slot, slots, transactions }) => [slot, slots, transactions].forEach((each) => to.f64(each)))
  to.i64(state.sampled.time)
  to.f64(state.sampled.slot)
  to.f64(state.sampled.transactions)
  to.option(given, (blockhash) => to.text(blockhash))
  return to.result
}

/** Reads an image for a new chain with the state `state`. Returns undefined if the bytes are not an image of it. */
export const decode = (
  bytes: Uint8Array,
  settings: Settings,
  genesis: Blockhash,
  state: ChainState,
  machineOf: (bytes: Uint8Array) => Svm
): Image | undefined =>
  Layout.attempt(() => {
    const from = new Layout.Cursor(bytes)
    if (text(from) !== genesis) return undefined
    const svm = machineOf(blob(from))
    const undo = new Map(
      list(
        () =>
          [count(from), new Map(list(() => [Layout.address(from), option(readAccount)(from)] as const)(from))] as const
      )(from)
    )
    const written = list(Layout.address)(from)
    const all = list(readRecord)(from)
    const references = list((cursor): TransactionRecord => {
      const record = all[Layout.u32(cursor)]
      if (record === undefined) throw new RangeError("no such transaction")
      return record
    })
    const block = (cursor: Layout.Cursor) => ({
      slot: count(cursor),
      parentSlot: count(cursor),
      height: count(cursor),
      time: Layout.i64(cursor),
      records: Array.from(references(cursor))
    })
    const complete = (cursor: Layout.Cursor): Block => ({
      previousBlockhash: readBlockhash(cursor),
      blockhash: readBlockhash(cursor),
      ...block(cursor)
    })
    const records = references(from)
    const blocks = list(complete)(from)
    const statuses = list(readStatus)(from)
    const ledger = Ledger.of(settings, { records, blocks, statuses, prunedSlot: count(from) - 1 })
    const blockhashes = new Blockhashes(settings.blockhashLifetime)
    const entries = list((cursor) => ({
      blockhash: readBlockhash(cursor),
      slot: count(cursor),
      height: count(cursor)
    }))(from)
    entries.forEach((entry) => blockhashes.push(entry))
    blockhashes.expireBelow(count(from))
    const slotHashes = Sysvars.SlotHashes.from(blob(from))
    const slotHashReaders = new SlotHashReaders(list(Layout.address)(from))
    const shownTime = { slot: count(from), time: Layout.i64(from) }
    const last = complete(from)
    const open = option(block)(from)
    const recent = list((cursor) => {
      const found = { slot: count(cursor), height: count(cursor), records: references(cursor) }
      return open !== undefined && open.slot === found.slot ? open : found
    })(from)
    const read: ChainState = {
      svm,
      accounts: state.accounts.over(svm, { undo, written }),
      ledger,
      blockhashes,
      slotHashes,
      slotHashReaders,
      shownTime,
      last,
      open,
      recent: Array.from(recent),
      epochStart: Layout.i64(from),
      aheadMillis: Layout.duration(from),
      transactionCount: count(from),
      lamports: BigInt.asIntN(128, Layout.u128(from)),
      samples: Array.from(
        list((cursor) => ({ slot: count(cursor), slots: count(cursor), transactions: count(cursor) }))(from)
      ),
      sampled: { time: Layout.i64(from), slot: count(from), transactions: count(from) }
    }
    const given = option(readBlockhash)(from)
    return from.left === 0 && isConsistent(read) ? { genesis, state: read, given } : undefined
  })

/** Whether the newest bank is the newest block, whose blockhash is known and can be used by the next block. */
const isConsistent = ({ blockhashes, last, open, recent }: ChainState): boolean =>
  recent.at(-1)?.slot === (open ?? last).slot &&
  blockhashes.get(last.blockhash)?.height === last.height &&
  blockhashes.parts.floor <= last.height + 1

const { count } = Layout

const list = <A>(item: Layout.Reader<A>) => Layout.list(Layout.u32, item)

const blob: Layout.Reader<Uint8Array> = (cursor) => cursor.bytes(Layout.u32(cursor))

const text = Layout.string(Layout.u32)

const option =
  <A>(value: Layout.Reader<A>): Layout.Reader<A | undefined> =>
  (cursor) =>
    Layout.option(value)(cursor) ?? undefined

const readBlockhash: Layout.Reader<Blockhash> = (cursor) => Either.getOrThrow(Blockhashes_.parse(text(cursor)))

const writeAccount = (to: Writer, { data, executable, lamports, owner, rentEpoch }: StoredAccount): void => {
  to.u64(lamports)
  to.address(owner)
  to.bool(executable)
  to.u64(rentEpoch)
  to.blob(data)
}

const readAccount: Layout.Reader<StoredAccount> = (from) => ({
  lamports: Layout.u64(from),
  owner: Layout.address(from),
  executable: Layout.bool(from),
  rentEpoch: Layout.u64(from),
  data: Uint8Array.from(Layout.atMost(MAX_ACCOUNT_BYTES, blob)(from))
})

const index = Schema.Struct({ account_index: Schema.Number })

const ErrorText = Schema.parseJson(
  Schema.Union(
    Schema.String,
    Schema.Struct({
      InstructionError: Schema.Tuple(
        Schema.Number,
        Schema.Union(
          Schema.String,
          Schema.Struct({ Custom: Schema.Number }),
          Schema.Struct({ BorshIoError: Schema.String })
        )
      )
    }),
    Schema.Struct({ DuplicateInstruction: Schema.Number }),
    Schema.Struct({ InsufficientFundsForRent: index }),
    Schema.Struct({ ProgramExecutionTemporarilyRestricted: index })
  )
)

const decodeError = Schema.decodeUnknownEither(ErrorText)

const writeError = (to: Writer, err: TransactionError | null): void =>
  to.option(err ?? undefined, (error) => to.text(JSON.stringify(error)))

const readError: Layout.Reader<TransactionError | null> = (from) =>
  option((cursor): TransactionError => Either.getOrThrow(decodeError(text(cursor))))(from) ?? null

const writeInner = (to: Writer, { accountIndices, data, programIndex, stackHeight }: InnerInstruction): void => {
  to.u8(programIndex)
  to.blob(accountIndices)
  to.blob(data)
  to.u8(stackHeight)
}

const readInner: Layout.Reader<InnerInstruction> = (from) => ({
  programIndex: Layout.u8(from),
  accountIndices: Uint8Array.from(blob(from)),
  data: Uint8Array.from(blob(from)),
  stackHeight: Layout.u8(from)
})

const writeOutcome = (to: Writer, { err, innerInstructions, logs, returnData, unitsConsumed }: Outcome): void => {
  writeError(to, err)
  to.list(logs, (line) => to.text(line))
  to.u64(unitsConsumed)
  to.list(innerInstructions, (calls) => to.list(calls, (call) => writeInner(to, call)))
  to.option(returnData, ({ data, programId }) => {
    to.address(programId)
    to.blob(data)
  })
}

const readOutcome: Layout.Reader<Outcome> = (from) => ({
  err: readError(from),
  logs: list(text)(from),
  unitsConsumed: Layout.u64(from),
  innerInstructions: list(list(readInner))(from),
  returnData: option((cursor) => ({ programId: Layout.address(cursor), data: Uint8Array.from(blob(cursor)) }))(from)
})

const writeTokenBalance = (to: Writer, balance: TokenBalance): void => {
  to.u8(balance.accountIndex)
  for (const address of [balance.mint, balance.owner, balance.programId]) to.address(address)
  to.u64(balance.amount)
  to.u8(balance.decimals)
}

const readTokenBalance: Layout.Reader<TokenBalance> = (from) => ({
  accountIndex: Layout.u8(from),
  mint: Layout.address(from),
  owner: Layout.address(from),
  programId: Layout.address(from),
  amount: Layout.u64(from),
  decimals: Layout.u8(from)
})

const writeRecord = (to: Writer, record: TransactionRecord): void => {
  const { loaded, wire } = record.transaction
  const addresses = (all: ReadonlyArray<Address>) => to.list(all, (address) => to.address(address))
  const balances = (all: ReadonlyArray<bigint>) => to.list(all, (balance) => to.u64(balance))
  to.blob(wire)
  addresses(loaded.writable)
  addresses(loaded.readonly)
  writeOutcome(to, record.outcome)
  to.f64(record.slot)
  to.i64(record.blockTime)
  to.i64(record.fee)
  balances(record.preBalances)
  balances(record.postBalances)
  to.list(record.preTokenBalances, (balance) => writeTokenBalance(to, balance))
  to.list(record.postTokenBalances, (balance) => writeTokenBalance(to, balance))
}

const readRecord: Layout.Reader<TransactionRecord> = (from) => {
  const wire = Uint8Array.from(blob(from))
  const loaded = { writable: list(Layout.address)(from), readonly: list(Layout.address)(from) }
  return {
    transaction: Either.getOrThrow(
      Either.flatMap(
        Either.mapLeft(AnyTransaction.decode(wire), ({ message }) => message),
        (decoded) => assemble(wire, decoded, loaded)
      )
    ),
    outcome: readOutcome(from),
    slot: count(from),
    blockTime: Layout.i64(from),
    fee: Layout.i64(from),
    preBalances: list(Layout.u64)(from),
    postBalances: list(Layout.u64)(from),
    preTokenBalances: list(readTokenBalance)(from),
    postTokenBalances: list(readTokenBalance)(from)
  }
}

const writeStatus = (to: Writer, { blockhashHeight, err, messageHash, signature, slot }: Status): void => {
  to.text(signature)
  to.text(messageHash)
  to.f64(slot)
  writeError(to, err)
  to.option(blockhashHeight, (height) => to.f64(height))
}

const readSignature: Layout.Reader<Signature> = (from) =>
  Option.getOrThrow(Option.liftPredicate(Signatures.is)(text(from)))

const readStatus: Layout.Reader<Status> = (from) => ({
  signature: readSignature(from),
  messageHash: text(from),
  slot: count(from),
  err: readError(from),
  blockhashHeight: option(count)(from)
})
