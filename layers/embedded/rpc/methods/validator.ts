/** Methods about validators, stake and inflation, as a cluster of one node without stake answers them. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Chain } from "../../chain/Chain.js"
import { SLOTS_PER_EPOCH } from "../../chain/Sysvars.js"
import * as JsonInteger from "../JsonInteger.js"
import * as JsonRpcError from "../JsonRpcError.js"
import { API_VERSION, contextual, FEATURE_SET, type Method, method } from "../Node.js"
import * as Params from "../Params.js"

/** Maximum slots of one `getSlotLeaders`. */
const MAX_LEADERS = 5000
const MAX_LARGEST = 20

/** The smallest stake that the stake program of Agave 4.2 delegates. */
const MINIMUM_DELEGATION = 1_000_000_000

const CommitmentConfig = Schema.Struct({ commitment: Params.maybe(Params.Commitment) })

const none = Params.decode(Schema.Tuple(), 0, 0)
const bankOnly = Params.decode(Schema.Tuple(Params.optional(Params.BankConfig)), 0, 1)
const commitmentOnly = Params.decode(Schema.Tuple(Params.optional(CommitmentConfig)), 0, 1)

const epochOf = (slot: number): number => Math.floor(slot / SLOTS_PER_EPOCH)

/** The leader schedule is known up to the end of the next epoch. */
const knownSlots = (slot: number): number => (epochOf(slot) + 2) * SLOTS_PER_EPOCH

const LeaderConfig = Schema.Struct({
  identity: Params.maybe(Schema.String),
  commitment: Params.maybe(Params.Commitment)
})

let slotsOfEpoch: ReadonlyArray<number> | undefined

/** The slots of an epoch: the node leads all of them. The list has megabytes, so only its first reader makes it. */
const allSlots = (): ReadonlyArray<number> =>
  (slotsOfEpoch ??= Array.from({ length: SLOTS_PER_EPOCH }, (_, slot) => slot))

const getLeaderSchedule = method(
  Params.decode(
    Schema.Tuple(
      Schema.optionalElement(Schema.NullishOr(Schema.Union(Params.U64, LeaderConfig))),
      Params.optional(LeaderConfig)
    ),
    0,
    2
  ),
  ({ chain, identity }, [slotOrConfig, second]) =>
    Either.gen(function* () {
      const isSlot = typeof slotOrConfig === "number" || typeof slotOrConfig === "bigint"
      const config = isSlot ? second : (slotOrConfig ?? second)
      const wanted = config?.identity == null ? identity : yield* Params.address(config.identity)
      const bank = yield* Params.bank(chain, config)
      if (isSlot && slotOrConfig >= knownSlots(bank.slot)) return null
      return wanted === identity ? { [identity]: allSlots() } : {}
    })
)

const getSlotLeader = method(bankOnly, ({ chain, identity }, [config]) =>
  Either.map(Params.bank(chain, config), () => identity)
)

const getSlotLeaders = method(
  Params.decode(Schema.Tuple(Params.U64, Params.U64), 2, 2),
  ({ chain, identity }, [start, limit]) =>
    Either.gen(function* () {
      if (limit > MAX_LEADERS) return yield* Either.left(JsonRpcError.params(`Invalid limit; max ${MAX_LEADERS}`))
      const known = knownSlots(chain.bank("finalized").slot)
      if (BigInt(start) + BigInt(limit) > known) {
        const epoch = BigInt(start) / BigInt(SLOTS_PER_EPOCH)
        return yield* Either.left(
          JsonRpcError.params(`Invalid slot range: leader schedule for epoch ${epoch} is unavailable`)
        )
      }
      return Array.from({ length: Number(limit) }, () => identity)
    })
)

const ProductionConfig = Schema.Struct({
  ...LeaderConfig.fields,
  range: Params.maybe(Schema.Struct({ firstSlot: Params.U64, lastSlot: Params.maybe(Params.U64) }))
})

const getBlockProduction = method(
  Params.decode(Schema.Tuple(Params.optional(ProductionConfig)), 0, 1),
  ({ chain, identity }, [config]) =>
    Either.gen(function* () {
      const wanted = config?.identity == null ? identity : yield* Params.address(config.identity)
      const bank = yield* Params.bank(chain, config)
      const epochStart = epochOf(bank.slot) * SLOTS_PER_EPOCH
      const firstSlot = Number(config?.range?.firstSlot ?? epochStart)
      const lastSlot = Number(config?.range?.lastSlot ?? bank.slot)
      const rule =
        firstSlot < epochStart
          ? `firstSlot, ${firstSlot}, is too small; min ${epochStart}`
          : firstSlot > bank.slot
            ? `firstSlot, ${firstSlot}, is too large; max ${bank.slot}`
            : lastSlot > bank.slot
              ? `lastSlot, ${lastSlot}, is too large; max ${bank.slot}`
              : lastSlot < firstSlot
                ? `lastSlot, ${lastSlot}, cannot be less than firstSlot, ${firstSlot}`
                : undefined
      if (rule !== undefined) return yield* Either.left(JsonRpcError.params(rule))
      const blocks = Array.from(chain.ledger.allBlocks, ({ slot }) => slot).filter(
        (slot) => slot >= firstSlot && slot <= lastSlot
      ).length
      return contextual(bank, {
        byIdentity: wanted === identity ? { [identity]: [lastSlot - firstSlot + 1, blocks] } : {},
        range: { firstSlot, lastSlot }
      })
    })
)

const VoteConfig = Schema.Struct({
  commitment: Params.maybe(Params.Commitment),
  votePubkey: Params.maybe(Schema.String),
  keepUnstakedDelinquents: Params.maybe(Schema.Boolean),
  delinquentSlotDistance: Params.maybe(Params.U64)
})

const getVoteAccounts = method(Params.decode(Schema.Tuple(Params.optional(VoteConfig)), 0, 1), (_, [config]) =>
  Either.gen(function* () {
    if (config?.votePubkey != null) yield* Params.address(config.votePubkey)
    return { current: [], delinquent: [] }
  })
)

/** The schedule of Solana's public clusters. */
const GOVERNOR = { initial: 0.08, terminal: 0.015, taper: 0.15, foundation: 0, foundationTerm: 0 }

const getInflationGovernor = method(commitmentOnly, () => Either.right(GOVERNOR))

const getInflationRate = method(none, ({ chain }) =>
  Either.right({ total: 0, validator: 0, foundation: 0, epoch: epochOf(chain.bank("finalized").slot) })
)

const RewardConfig = Schema.Struct({ ...Params.bankFields, epoch: Params.maybe(Params.U64) })

const getInflationReward = method(
  Params.decode(Schema.Tuple(Schema.Array(Schema.String), Params.optional(RewardConfig)), 1, 2),
  ({ chain }, [texts, config]) =>
    Either.gen(function* () {
      const addresses = yield* Either.all(texts.map(Params.address))
      const bank = yield* Params.settledBank(chain, config)
      const epoch = config?.epoch ?? undefined
      if (epoch !== undefined && epoch >= epochOf(bank.slot) && epoch > 0) {
        return yield* Either.left(JsonRpcError.blockNotAvailable((BigInt(epoch) + 1n) * BigInt(SLOTS_PER_EPOCH)))
      }
      return addresses.map(() => null)
    })
)

const getStakeMinimumDelegation = method(bankOnly, ({ chain }, [config]) =>
  Either.map(Params.bank(chain, config), (bank) => contextual(bank, MINIMUM_DELEGATION))
)

const getClusterNodes = method(none, ({ identity }) =>
  Either.right([
    {
      pubkey: identity,
      gossip: null,
      tvu: null,
      tpu: null,
      tpuQuic: null,
      tpuForwards: null,
      tpuForwardsQuic: null,
      tpuVote: null,
      serveRepair: null,
      rpc: null,
      pubsub: null,
      version: API_VERSION,
      featureSet: FEATURE_SET,
      shredVersion: 0,
      clientId: null
    }
  ])
)

const newestSlot = method(none, ({ chain }) => Either.right(chain.bank("processed").slot))

const getBlockCommitment = method(Params.decode(Schema.Tuple(Params.U64), 1, 1), () =>
  Either.right({ commitment: null, totalStake: 0 })
)

const getHighestSnapshotSlot = method(none, () => Either.left(JsonRpcError.noSnapshot()))

/** Alpenglow's certificate of the genesis block. This chain has none. */
const getAgGenesisCert = method(none, () => Either.right(null))

const LargestConfig = Schema.Struct({
  commitment: Params.maybe(Params.Commitment),
  filter: Params.maybe(Schema.Literal("circulating", "nonCirculating")),
  sortResults: Params.maybe(Schema.Boolean)
})

const getLargestAccounts = method(
  Params.decode(Schema.Tuple(Params.optional(LargestConfig)), 0, 1),
  ({ chain }, [config]) =>
    Either.map(Params.bank(chain, config), (bank) =>
      contextual(bank, config?.filter === "nonCirculating" ? [] : largest(chain, bank.slot))
    )
)

interface Balance {
  readonly address: Address
  readonly lamports: bigint
}

/** The richest accounts, richest first. The list stays sorted, so a scan compares each account with its last entry. */
const largest = (chain: Chain, slot: number): ReadonlyArray<unknown> => {
  const found: Array<Balance> = []
  for (const address of chain.addresses) {
    const lamports = chain.balance(address, slot)
    const least = found.length < MAX_LARGEST ? 0n : (found.at(-1)?.lamports ?? 0n)
    if (lamports <= least) continue
    const at = found.findIndex((other) => other.lamports < lamports)
    found.splice(at === -1 ? found.length : at, 0, { address, lamports })
    found.length = Math.min(found.length, MAX_LARGEST)
  }
  return found.map(({ address, lamports }) => ({ address, lamports: JsonInteger.fromBigInt(lamports) }))
}

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = {
  getLeaderSchedule,
  getSlotLeader,
  getSlotLeaders,
  getBlockProduction,
  getVoteAccounts,
  getInflationGovernor,
  getInflationRate,
  getInflationReward,
  getStakeMinimumDelegation,
  getClusterNodes,
  getMaxRetransmitSlot: newestSlot,
  getMaxShredInsertSlot: newestSlot,
  getBlockCommitment,
  getHighestSnapshotSlot,
  getAgGenesisCert,
  getLargestAccounts
}
