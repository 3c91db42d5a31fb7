/** Methods about the node and the cluster as a whole. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { TransactionRecord } from "../../chain/Ledger.js"
import { isWritable } from "../../chain/LoadedTransaction.js"
import { SLOTS_PER_EPOCH } from "../../chain/Sysvars.js"
import * as Fees from "../Fees.js"
import * as JsonInteger from "../JsonInteger.js"
import * as JsonRpcError from "../JsonRpcError.js"
import { API_VERSION, contextual, FEATURE_SET, type Method, method } from "../Node.js"
import * as Params from "../Params.js"

const MAX_PERFORMANCE_SAMPLES = 720
const SAMPLE_SECONDS = 60
const MAX_FEE_ACCOUNTS = 128
const FEE_BLOCKS = 150

const none = Params.decode(Schema.Tuple(), 0, 0)
const bankOnly = Params.decode(Schema.Tuple(Params.optional(Params.BankConfig)), 0, 1)

const getHealth = method(none, () => Either.right("ok"))

const getVersion = method(none, () => Either.right({ "solana-core": API_VERSION, "feature-set": FEATURE_SET }))

const getIdentity = method(none, ({ identity }) => Either.right({ identity }))

const getGenesisHash = method(none, ({ chain }) => Either.right(chain.genesisHash))

const getSlot = method(bankOnly, ({ chain }, [config]) => Either.map(Params.bank(chain, config), ({ slot }) => slot))

const getBlockHeight = method(bankOnly, ({ chain }, [config]) =>
  Either.map(Params.bank(chain, config), ({ height }) => height)
)

const getEpochInfo = method(bankOnly, ({ chain }, [config]) =>
  Either.map(Params.bank(chain, config), ({ slot, height }) => ({
    absoluteSlot: slot,
    blockHeight: height,
    epoch: Math.floor(slot / SLOTS_PER_EPOCH),
    slotIndex: slot % SLOTS_PER_EPOCH,
    slotsInEpoch: SLOTS_PER_EPOCH,
    transactionCount: chain.transactionCount
  }))
)

const getEpochSchedule = method(none, () =>
  Either.right({
    slotsPerEpoch: SLOTS_PER_EPOCH,
    leaderScheduleSlotOffset: SLOTS_PER_EPOCH,
    warmup: false,
    firstNormalEpoch: 0,
    firstNormalSlot: 0
  })
)

const getTransactionCount = method(bankOnly, ({ chain }, [config]) =>
  Either.map(Params.bank(chain, config), () => chain.transactionCount)
)

const getSupply = method(
  Params.decode(
    Schema.Tuple(
      Params.optional(
        Schema.Struct({
          commitment: Params.maybe(Params.Commitment),
          excludeNonCirculatingAccountsList: Params.maybe(Schema.Boolean)
        })
      )
    ),
    0,
    1
  ),
  ({ chain }, [config]) =>
    Either.map(Params.bank(chain, config), (bank) => {
      const total = JsonInteger.fromBigInt(chain.lamports)
      return contextual(bank, { total, circulating: total, nonCirculating: 0, nonCirculatingAccounts: [] })
    })
)

const getRecentPerformanceSamples = method(
  Params.decode(Schema.Tuple(Params.optional(Params.U64)), 0, 1),
  ({ chain }, [limit]) =>
    (limit ?? 0) > MAX_PERFORMANCE_SAMPLES
      ? Either.left(JsonRpcError.params(`Invalid limit; max ${MAX_PERFORMANCE_SAMPLES}`))
      : Either.right(
          chain.samples.slice(0, Number(limit ?? MAX_PERFORMANCE_SAMPLES)).map(({ slot, slots, transactions }) => ({
            slot,
            numSlots: slots,
            numTransactions: transactions,
            numNonVoteTransactions: transactions,
            samplePeriodSecs: SAMPLE_SECONDS
          }))
        )
)

const getRecentPrioritizationFees = method(
  Params.decode(Schema.Tuple(Params.optional(Schema.Array(Schema.String))), 0, 1),
  ({ chain }, [texts]) =>
    Either.gen(function* () {
      if ((texts?.length ?? 0) > MAX_FEE_ACCOUNTS) {
        return yield* Either.left(JsonRpcError.params(`Too many inputs provided; max ${MAX_FEE_ACCOUNTS}`))
      }
      const accounts = yield* Either.all((texts ?? []).map(Params.address))
      return Array.from(chain.ledger.allBlocks)
        .slice(-FEE_BLOCKS)
        .map(({ slot, records }) => ({ slot, prioritizationFee: JsonInteger.fromBigInt(priceIn(records, accounts)) }))
    })
)

/** The highest of the lowest prices: of the block, and of the transactions that write each of the accounts. */
const priceIn = (records: ReadonlyArray<TransactionRecord>, accounts: ReadonlyArray<Address>): bigint => {
  let ofBlock: bigint | undefined
  const ofAccounts = new Map<Address, bigint>()
  for (const { transaction } of records) {
    const price = Fees.priceOf(transaction.message)
    if (ofBlock === undefined || price < ofBlock) ofBlock = price
    for (const account of accounts) {
      const index = transaction.addresses.indexOf(account)
      if (index === -1 || !isWritable(transaction, index)) continue
      const known = ofAccounts.get(account)
      if (known === undefined || price < known) ofAccounts.set(account, price)
    }
  }
  return [...ofAccounts.values()].reduce((most, price) => (price > most ? price : most), ofBlock ?? 0n)
}

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = {
  getHealth,
  getVersion,
  getIdentity,
  getGenesisHash,
  getSlot,
  getBlockHeight,
  getEpochInfo,
  getEpochSchedule,
  getTransactionCount,
  getSupply,
  getRecentPerformanceSamples,
  getRecentPrioritizationFees
}
