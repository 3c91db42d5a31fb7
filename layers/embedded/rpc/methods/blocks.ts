/** Methods about blocks and blockhashes. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as AnyTransaction from "../../chain/AnyTransaction.js"
import type { Chain } from "../../chain/Chain.js"
import type { Bank } from "../../chain/ChainState.js"
import type { Block } from "../../chain/Ledger.js"
import * as Cost from "../Cost.js"
import * as Fees from "../Fees.js"
import * as JsonInteger from "../JsonInteger.js"
import * as JsonRpcError from "../JsonRpcError.js"
import { contextual, type Method, method } from "../Node.js"
import * as Params from "../Params.js"
import * as TransactionView from "../TransactionView.js"

/** Maximum slots of one `getBlocks`. */
const MAX_BLOCK_RANGE = 500_000

const none = Params.decode(Schema.Tuple(), 0, 0)
const bankOnly = Params.decode(Schema.Tuple(Params.optional(Params.BankConfig)), 0, 1)

const getLatestBlockhash = method(bankOnly, ({ chain, nowMillis }, [config]) =>
  Either.flatMap(Params.bank(chain, config), () => {
    chain.takeBlockhash(nowMillis)
    return Either.map(Params.bank(chain, config), (bank) => contextual(bank, latestBlockhash(chain, bank)))
  })
)

/** The newest blockhash of a bank and its last valid height. */
export const latestBlockhash = (chain: Chain, bank: Bank) => {
  const { blockhash, height } = chain.latestBlockhash(bank)
  return { blockhash, lastValidBlockHeight: height + chain.settings.blockhashLifetime }
}

const isBlockhashValid = method(
  Params.decode(Schema.Tuple(Schema.String, Params.optional(Params.BankConfig)), 1, 2),
  ({ chain }, [text, config]) =>
    Either.gen(function* () {
      const blockhash = yield* Params.blockhash(text)
      const bank = yield* Params.bank(chain, config)
      return contextual(bank, chain.isBlockhashValid(blockhash, bank))
    })
)

const getFeeForMessage = method(
  Params.decode(Schema.Tuple(Schema.String, Params.optional(Params.BankConfig)), 1, 2),
  ({ chain }, [text, config]) =>
    Either.gen(function* () {
      const bytes = yield* Params.wireBytes(text, "base64", "solana_message::versions::VersionedMessage")
      const message = yield* Either.mapLeft(AnyTransaction.decodeMessage(bytes), (error) =>
        JsonRpcError.params(`failed to deserialize solana_message::versions::VersionedMessage: ${error.message}`)
      )
      const bank = yield* Params.bank(chain, config)
      const isKnown = chain.isBlockhashValid(message.blockhash, bank)
      return contextual(bank, isKnown ? JsonInteger.fromBigInt(Fees.feeOf(message)) : null)
    })
)

const BlockConfig = Schema.Struct({
  commitment: Params.maybe(Params.Commitment),
  encoding: Params.maybe(Params.TransactionEncoding),
  transactionDetails: Params.maybe(Schema.Literal("full", "accounts", "signatures", "none")),
  rewards: Params.maybe(Schema.Boolean),
  maxSupportedTransactionVersion: Params.maybe(Params.Count)
})

const getBlock = method(
  Params.decode(Schema.Tuple(Params.U64, Params.optional(Schema.Union(Params.TransactionEncoding, BlockConfig))), 1, 2),
  ({ chain }, [slot, encodingOrConfig]) =>
    Either.gen(function* () {
      const config: typeof BlockConfig.Type =
        typeof encodingOrConfig === "string" ? { encoding: encodingOrConfig } : (encodingOrConfig ?? {})
      const bank = yield* Params.settledBank(chain, config)
      const block = yield* findBlock(chain, slot, bank)
      return {
        previousBlockhash: block.previousBlockhash,
        blockhash: block.blockhash,
        parentSlot: block.parentSlot,
        blockTime: JsonInteger.fromBigInt(block.time),
        blockHeight: block.height,
        ...(yield* blockBody(chain, block, config)),
        ...(config.rewards === false ? {} : { rewards: [] })
      }
    })
)

const blockBody = (
  chain: Chain,
  block: Block,
  config: typeof BlockConfig.Type
): Params.Read<Record<string, unknown>> => {
  const details = config.transactionDetails ?? "full"
  switch (details) {
    case "none":
      return Either.right({})
    case "signatures":
      return Either.right({ signatures: block.records.map(({ transaction }) => transaction.signature) })
    case "accounts":
    case "full": {
      const encoding = details === "accounts" ? details : (config.encoding ?? "json")
      const maxVersion = config.maxSupportedTransactionVersion ?? undefined
      const views = block.records.map((record) =>
        TransactionView.view(record, encoding, maxVersion, Cost.unitsOf(chain, record))
      )
      return Either.map(Either.all(views), (transactions) => ({ transactions }))
    }
  }
}

const findBlock = (chain: Chain, slot: number | bigint, bank: Bank): Params.Read<Block> => {
  if (slot > bank.slot || slot === chain.openSlot) return Either.left(JsonRpcError.blockNotAvailable(slot))
  const block = chain.ledger.block(Number(slot))
  if (block !== undefined) return Either.right(block)
  const first = chain.ledger.firstSlot
  return Either.left(slot < first ? JsonRpcError.blockCleanedUp(slot, first) : JsonRpcError.slotSkipped(slot))
}

const getBlockTime = method(Params.decode(Schema.Tuple(Params.U64), 1, 1), ({ chain }, [slot]) =>
  Either.map(findBlock(chain, slot, chain.bank("confirmed")), ({ time }) => JsonInteger.fromBigInt(time))
)

const getBlocks = method(
  Params.decode(
    Schema.Tuple(
      Params.U64,
      Schema.optionalElement(Schema.NullishOr(Schema.Union(Params.U64, Params.BankConfig))),
      Params.optional(Params.BankConfig)
    ),
    1,
    3
  ),
  ({ chain }, [start, endOrConfig, config]) =>
    Either.gen(function* () {
      const isEnd = typeof endOrConfig === "number" || typeof endOrConfig === "bigint"
      const bank = yield* Params.settledBank(chain, isEnd ? config : (endOrConfig ?? config))
      const first = Number(start)
      const end = Math.min(isEnd ? Number(endOrConfig) : first + MAX_BLOCK_RANGE, bank.slot)
      if (end - first > MAX_BLOCK_RANGE) {
        return yield* Either.left(JsonRpcError.params(`Slot range too large; max ${MAX_BLOCK_RANGE}`))
      }
      return Array.from(chain.ledger.allBlocks, ({ slot }) => slot).filter((slot) => slot >= first && slot <= end)
    })
)

const getBlocksWithLimit = method(
  Params.decode(Schema.Tuple(Params.U64, Params.U64, Params.optional(Params.BankConfig)), 2, 3),
  ({ chain }, [start, limit, config]) =>
    Either.gen(function* () {
      if (limit > MAX_BLOCK_RANGE) {
        return yield* Either.left(JsonRpcError.params(`Limit too large; max ${MAX_BLOCK_RANGE}`))
      }
      const bank = yield* Params.settledBank(chain, config)
      return Array.from(chain.ledger.allBlocks, ({ slot }) => slot)
        .filter((slot) => slot >= start && slot <= bank.slot)
        .slice(0, Number(limit))
    })
)

const getFirstAvailableBlock = method(none, ({ chain }) => Either.right(chain.ledger.firstSlot))

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = {
  getLatestBlockhash,
  isBlockhashValid,
  getFeeForMessage,
  getBlock,
  getBlockTime,
  getBlocks,
  getBlocksWithLimit,
  getFirstAvailableBlock,
  minimumLedgerSlot: getFirstAvailableBlock
}
