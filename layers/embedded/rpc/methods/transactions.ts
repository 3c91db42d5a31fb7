/** Methods that send and simulate transactions and report their outcomes. */
import type { Address, Commitment, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { MAX_SIGNATURE_STATUSES, MAX_SIGNATURES_FOR_ADDRESS } from "../../../../src/solana/Limits.js"
import type { Chain } from "../../chain/Chain.js"
import type { Bank } from "../../chain/ChainState.js"
import type { LoadedTransaction } from "../../chain/LoadedTransaction.js"
import type { Outcome, Simulation } from "../../chain/Svm.js"
import * as Errors from "../../chain/TransactionErrors.js"
import * as AccountView from "../AccountView.js"
import * as Cost from "../Cost.js"
import * as JsonInteger from "../JsonInteger.js"
import * as JsonRpcError from "../JsonRpcError.js"
import { contextual, type Method, method } from "../Node.js"
import * as Params from "../Params.js"
import * as Instructions from "../parsed/instructions.js"
import * as SimulationView from "../SimulationView.js"
import * as TransactionInput from "../TransactionInput.js"
import * as TransactionView from "../TransactionView.js"
import { latestBlockhash } from "./blocks.js"

/** Maximum accounts of a transaction. */
const MAX_LOADED_ACCOUNTS = 256

const WireEncoding = Schema.Literal("base58", "base64")

const SendConfig = Schema.Struct({
  encoding: Params.maybe(WireEncoding),
  skipPreflight: Params.maybe(Schema.Boolean),
  preflightCommitment: Params.maybe(Params.Commitment),
  maxRetries: Params.maybe(Params.U64),
  minContextSlot: Params.maybe(Params.U64)
})

const SendParams = Schema.Tuple(Schema.String, Params.optional(SendConfig))

/** Whether the parameters are the ones of an SDK. */
const isUsual = (params: ReadonlyArray<unknown>): params is typeof SendParams.Type => {
  const [text, config] = params
  if (typeof text !== "string" || typeof config !== "object" || config === null || params.length > 2) return false
  const fields: { readonly [field: string]: unknown } = { ...config }
  const { encoding, maxRetries, minContextSlot, preflightCommitment, skipPreflight } = fields
  return (
    encoding === "base64" &&
    (skipPreflight === undefined || typeof skipPreflight === "boolean") &&
    (preflightCommitment === "confirmed" || preflightCommitment === undefined) &&
    isCount(maxRetries) &&
    isCount(minContextSlot)
  )
}

const isCount = (value: unknown): boolean => value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)

const sendTransaction = method(
  Params.guarded(isUsual, Params.decode(SendParams, 1, 2)),
  ({ chain, nowMillis }, [text, config]) => {
    const options = { commitment: config?.preflightCommitment, minContextSlot: config?.minContextSlot }
    return Either.flatMap(Params.bank(chain, options), (bank) =>
      Either.flatMap(TransactionInput.read(chain, text, config?.encoding ?? "base58"), (transaction) => {
        if (config?.skipPreflight === true) chain.submit(transaction, nowMillis, chain.settings.verifySignatures)
        else {
          const outcome = submitChecked(chain, transaction, bank, nowMillis)
          if (outcome.err !== null) return Either.left(refused(outcome.err, outcome))
        }
        return Either.right(transaction.signature)
      })
    )
  }
)

const refused = (err: Errors.TransactionError, outcome: Outcome) =>
  JsonRpcError.preflight(Errors.describe(err), SimulationView.refused(outcome))

/** Submits the transaction unless it fails on the bank, and returns its outcome there. */
const submitChecked = (chain: Chain, transaction: LoadedTransaction, bank: Bank, nowMillis: number): Outcome => {
  const { verifySignatures } = chain.settings
  if (bank.slot === chain.bank("processed").slot && chain.refusal(transaction, bank) === undefined) {
    return chain.attempt(transaction, nowMillis, verifySignatures)
  }
  const simulation = simulate(chain, transaction, bank, nowMillis, verifySignatures)
  if (simulation.err === null) chain.submit(transaction, nowMillis, false)
  return simulation
}

const SimulateConfig = Schema.Struct({
  ...Params.bankFields,
  encoding: Params.maybe(WireEncoding),
  sigVerify: Params.maybe(Schema.Boolean),
  replaceRecentBlockhash: Params.maybe(Schema.Boolean),
  innerInstructions: Params.maybe(Schema.Boolean),
  accounts: Params.maybe(
    Schema.Struct({ addresses: Schema.Array(Schema.String), encoding: Params.maybe(Params.AccountEncoding) })
  )
})

const simulateTransaction = method(
  Params.decode(Schema.Tuple(Schema.String, Params.optional(SimulateConfig)), 1, 2),
  ({ chain, nowMillis }, [text, config]) =>
    Either.gen(function* () {
      const isReplaced = config?.replaceRecentBlockhash === true
      const isVerified = config?.sigVerify === true
      if (isReplaced && isVerified) {
        return yield* Either.left(JsonRpcError.params("sigVerify may not be used with replaceRecentBlockhash"))
      }
      const bank = yield* Params.bank(chain, config)
      const given = yield* TransactionInput.read(chain, text, config?.encoding ?? "base58")
      const replacement = latestBlockhash(chain, bank)
      const transaction = isReplaced ? TransactionInput.withBlockhash(given, replacement.blockhash) : given
      const wanted = config?.accounts ?? undefined
      if ((wanted?.addresses.length ?? 0) > Math.min(transaction.addresses.length, MAX_LOADED_ACCOUNTS)) {
        return yield* Either.left(
          JsonRpcError.params(`Too many accounts provided; max ${transaction.addresses.length}`)
        )
      }
      const encoding = wanted?.encoding ?? "base64"
      if (wanted !== undefined && (encoding === "binary" || encoding === "base58")) {
        return yield* Either.left(JsonRpcError.params("base58 encoding not supported"))
      }
      const addresses = yield* Either.all((wanted?.addresses ?? []).map(Params.address))
      const simulation = simulate(chain, transaction, bank, nowMillis, isVerified)
      const lookup = (address: Address) => accountAfter(chain, bank, simulation, address)
      const found = addresses.map(lookup)
      yield* AccountView.checkSize(found)
      const accounts = yield* Either.all(
        addresses.map((address, index) => AccountView.viewMaybe(address, found[index], { encoding }, lookup))
      )
      return contextual(bank, {
        ...SimulationView.outcome(simulation),
        ...SimulationView.details(chain, transaction, bank, simulation),
        accounts: wanted === undefined ? null : accounts,
        innerInstructions:
          config?.innerInstructions === true
            ? TransactionView.viewParsedInner(transaction, simulation.innerInstructions)
            : null,
        replacementBlockhash: isReplaced ? replacement : null
      })
    })
)

/** The account after the simulation; undefined if it would be closed or the simulation failed. */
const accountAfter = (chain: Chain, bank: Bank, simulation: Simulation, address: Address) => {
  if (simulation.err !== null) return undefined
  const account = simulation.accounts.get(address) ?? chain.account(address, bank.slot)
  return account?.lamports === 0n ? undefined : account
}

const NOTHING_RUN = {
  logs: [],
  unitsConsumed: 0n,
  innerInstructions: [],
  returnData: undefined,
  accounts: new Map()
} as const

/** Simulates: a wrong signature is reported first, then the bank's refusal, then the result of the execution. */
const simulate = (
  chain: Chain,
  transaction: LoadedTransaction,
  bank: Bank,
  nowMillis: number,
  verify: boolean
): Simulation => {
  const simulation = chain.simulate(transaction, bank, nowMillis, verify)
  if (simulation.err === "SignatureFailure") return simulation
  const refusal = chain.refusal(transaction, bank)
  return refusal === undefined ? simulation : { ...NOTHING_RUN, err: refusal }
}

const getSignatureStatuses = method(
  Params.decode(
    Schema.Tuple(
      Schema.Array(Schema.String),
      Params.optional(Schema.Struct({ searchTransactionHistory: Params.maybe(Schema.Boolean) }))
    ),
    1,
    2
  ),
  ({ chain }, [texts, config]) =>
    Either.gen(function* () {
      if (texts.length > MAX_SIGNATURE_STATUSES) {
        return yield* Either.left(JsonRpcError.params(`Too many inputs provided; max ${MAX_SIGNATURE_STATUSES}`))
      }
      const signatures = yield* Either.all(texts.map(Params.signature))
      const searches = config?.searchTransactionHistory === true
      return contextual(
        chain.bank("processed"),
        signatures.map((signature) => viewStatus(chain, signature, searches))
      )
    })
)

const viewStatus = (chain: Chain, signature: Signature, searches: boolean): unknown => {
  const status = chain.ledger.status(signature) ?? (searches ? fromHistory(chain, signature) : undefined)
  if (status === undefined) return null
  const { slot, err } = status
  const confirmationStatus = chain.commitmentOf(slot)
  return {
    slot,
    confirmations: confirmationStatus === "finalized" ? null : chain.bank("processed").slot - slot,
    err,
    status: err === null ? { Ok: null } : { Err: err },
    confirmationStatus
  }
}

const fromHistory = (chain: Chain, signature: Signature) => {
  const record = chain.ledger.record(signature)
  return record === undefined ? undefined : { slot: record.slot, err: record.outcome.err }
}

const HistoryConfig = Schema.Struct({
  ...Params.bankFields,
  limit: Params.maybe(Params.U64),
  before: Params.maybe(Schema.String),
  until: Params.maybe(Schema.String)
})

const getSignaturesForAddress = method(
  Params.decode(Schema.Tuple(Schema.String, Params.optional(HistoryConfig)), 1, 2),
  ({ chain }, [text, config]) =>
    Either.gen(function* () {
      const address = yield* Params.address(text)
      const before = config?.before == null ? undefined : yield* Params.signature(config.before)
      const until = config?.until == null ? undefined : yield* Params.signature(config.until)
      const limit = Number(config?.limit ?? MAX_SIGNATURES_FOR_ADDRESS)
      if (limit < 1 || limit > MAX_SIGNATURES_FOR_ADDRESS) {
        return yield* Either.left(JsonRpcError.params(`Invalid limit; max ${MAX_SIGNATURES_FOR_ADDRESS}`))
      }
      const bank = yield* Params.settledBank(chain, config)
      const history = chain.ledger.history(address)
      const indexOf = (signature: Signature) =>
        history.findIndex(({ transaction }) => transaction.signature === signature)
      const start = before === undefined ? 0 : indexOf(before) + 1
      const end = until === undefined ? -1 : indexOf(until)
      if (before !== undefined && start === 0) return []
      return history
        .slice(start, end === -1 ? undefined : Math.max(start, end))
        .filter(({ slot }) => slot <= bank.slot)
        .slice(0, limit)
        .map(({ transaction, outcome, slot, blockTime }) => ({
          signature: transaction.signature,
          slot,
          err: outcome.err,
          memo: memosOf(transaction),
          blockTime: JsonInteger.fromBigInt(blockTime),
          confirmationStatus: chain.commitmentOf(slot)
        }))
    })
)

const memosOf = ({ addresses, message }: LoadedTransaction): string | null =>
  Instructions.memosOf(
    message.instructions.map(({ programIndex, data }) => ({ programId: addresses[programIndex], data }))
  )

const TransactionConfig = Schema.Struct({
  commitment: Params.maybe(Params.Commitment),
  encoding: Params.maybe(Params.TransactionEncoding),
  maxSupportedTransactionVersion: Params.maybe(Params.Count)
})

const getTransaction = method(
  Params.decode(
    Schema.Tuple(Schema.String, Params.optional(Schema.Union(Params.TransactionEncoding, TransactionConfig))),
    1,
    2
  ),
  ({ chain }, [text, encodingOrConfig]) =>
    Either.gen(function* () {
      const signature = yield* Params.signature(text)
      const config: typeof TransactionConfig.Type =
        typeof encodingOrConfig === "string" ? { encoding: encodingOrConfig } : (encodingOrConfig ?? {})
      const bank = yield* Params.settledBank(chain, config)
      const record = chain.ledger.record(signature)
      if (record === undefined || record.slot > bank.slot) return null
      const maxVersion = config.maxSupportedTransactionVersion ?? undefined
      const shown = yield* TransactionView.view(
        record,
        config.encoding ?? "json",
        maxVersion,
        Cost.unitsOf(chain, record)
      )
      return { slot: record.slot, ...shown, blockTime: JsonInteger.fromBigInt(record.blockTime) }
    })
)

/** The transaction's status at the commitment, if it is already known. */
export const knownStatus = (chain: Chain, signature: Signature, commitment: Commitment) => {
  const status = chain.ledger.status(signature)
  return status !== undefined && status.slot <= chain.bank(commitment).slot ? status : undefined
}

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = {
  sendTransaction,
  simulateTransaction,
  getSignatureStatuses,
  getSignaturesForAddress,
  getTransaction
}
