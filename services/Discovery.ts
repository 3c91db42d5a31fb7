/**
 * Finds agents in memory: by capabilities, reputation, activity and the words of their metadata URI.
 *
 * The layer reads all agents once and then follows `ProtocolEvents`: an agent that registered or changed is read again. A
 * search makes no call to an endpoint. Agents that cannot be decoded are passed over, counted and logged.
 *
 * Metadata URIs are text that agents chose: make it safe by `SafeText` before showing it.
 *
 * @since 0.1.0
 */
import type { Address, Slot } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import type { AgentAccount } from "../src/protocol/Account.js"
import * as AccountType from "../src/protocol/AccountType.js"
import * as Limits from "../src/solana/Limits.js"
import * as Cursors from "./discovery/cursor.js"
import { SearchIndex } from "./discovery/SearchIndex.js"
import * as Similarity from "./discovery/similarity.js"
import * as Backoff from "./internal/backoff.js"
import { located } from "./internal/located.js"
import * as TestLayer from "./internal/testLayer.js"
import * as Accounts from "./program/accounts.js"
import { agentAddress } from "./program/agentAddress.js"
import * as Given from "./program/givenAddresses.js"
import { AccountNotFound, type ProgramAccount } from "./ProgramAccount.js"
import * as ProtocolEvents from "./ProtocolEvents.js"
import { type AccountInfo, RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"

/**
 * Which agents to find, and in which order. Each field that is given narrows the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface AgentQuery {
  /** Capabilities that must all be set: see `Capabilities`. */
  readonly all?: bigint | undefined
  /** Capabilities of which at least one must be set. */
  readonly any?: bigint | undefined
  /** The least reputation. */
  readonly minReputation?: bigint | undefined
  /** The greatest reputation. */
  readonly maxReputation?: bigint | undefined
  /** Unix seconds: only agents that registered or changed then or later. */
  readonly activeSince?: bigint | undefined
  /** Words of the metadata URI, by their beginnings, in any case. All must occur. At most 32 count. */
  readonly text?: string | undefined
  /** The highest reputation first (default), or the latest change first. The address decides between equals. */
  readonly sort?: "reputation" | "recent" | undefined
  /** The size of a page, 1 to 1,000. Default: 20. */
  readonly limit?: number | undefined
  /** Where the page begins: the `next` of the page before, of a query that differs in nothing but its limit. */
  readonly cursor?: string | undefined
}

/**
 * A page of what was found.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly items: ReadonlyArray<ProgramAccount<AgentAccount>>
  /** The cursor of the next page; none behind the last one. */
  readonly next: Option.Option<string>
  /** The slot up to which all changes are in the index. */
  readonly asOf: Slot
}

/**
 * An agent that resembles another one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Similar extends ProgramAccount<AgentAccount> {
  /**
   * From 0 to 1, to six digits: 0.7 × the share of common capabilities + 0.3 × the share of common words of the URI. A share
   * is the number of what both have over the number of what either has, and 0 where neither has any.
   */
  readonly score: number
}

/**
 * The searches.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** A page of agents. `InvalidInput` for a field out of its range, and for a cursor of another order. */
  readonly agents: (query?: AgentQuery) => Effect.Effect<Page, InvalidInput>
  /**
   * The agents that resemble one, given by its wallet or its address: the highest score first, then by address. Agents
   * with nothing in common are left out. `limit` is 1 to 1,000, by default 20.
   */
  readonly similar: (
    walletOrAgent: Address,
    options?: { readonly limit?: number | undefined }
  ) => Effect.Effect<ReadonlyArray<Similar>, AccountNotFound | InvalidInput>
  /** The slot up to which all changes are in the index. */
  readonly asOf: Effect.Effect<Slot>
  /** How many agents are in the index. */
  readonly size: Effect.Effect<number>
}

/**
 * Finds agents.
 *
 * @example
 * ```ts
 * import { Capabilities, Discovery } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * export const traders = Effect.gen(function* () {
 *   const discovery = yield* Discovery.Discovery
 *   const { items } = yield* discovery.agents({ all: Capabilities.sdk.bits.TRADING, minReputation: 50n, limit: 5 })
 *   return items.map(({ account }) => account.wallet)
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Discovery extends Context.Tag("@pod-protocol/effect/Discovery")<Discovery, Service>() {}

const MAX_LIMIT = 1000
const DEFAULT_LIMIT = 20

/** The least and the greatest of 64-bit integers, signed or not. */
const LEAST = -(2n ** 63n)
const GREATEST = Check.MAX_U64

/** Milliseconds before the endpoints are asked again. */
const BACKOFF = { base: 500, cap: 30_000 }

type Sort = NonNullable<AgentQuery["sort"]>

const SORTS: ReadonlyArray<Sort> = ["reputation", "recent"]

const orders: Readonly<Record<Sort, (account: AgentAccount) => bigint>> = {
  reputation: ({ reputation }) => reputation,
  recent: ({ lastUpdated }) => lastUpdated
}

const agents: Accounts.Query<AgentAccount> = {
  type: AccountType.agent,
  where: [],
  createdAt: ({ lastUpdated }) => lastUpdated
}

const checkSort = (sort: Sort): Either.Either<Sort, InvalidInput> =>
  SORTS.includes(sort)
    ? Either.right(sort)
    : Either.left(new InvalidInput({ field: "sort", rule: `must be one of: ${SORTS.join(", ")}` }))

const checkText = (text: string): Either.Either<string, InvalidInput> =>
  typeof text === "string" ? Either.right(text) : Either.left(new InvalidInput({ field: "text", rule: "must be text" }))

/**
 * Reads all agents, and follows them until the scope closes. `RpcError` if the first listing fails. Later failures are
 * logged, and the index stays as it was until an endpoint answers.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, RpcError, ProtocolEvents.ProtocolEvents | RpcPool | Scope.Scope> = Effect.gen(
  function* () {
    const pool = yield* RpcPool
    const events = yield* ProtocolEvents.ProtocolEvents
    const accounts = yield* Accounts.make
    const { programId: program } = accounts
    const genesis = yield* pool.getGenesisHash
    const index = new SearchIndex<AgentAccount, Sort>({
      bits: ({ capabilities }) => capabilities,
      text: ({ metadataUri }) => metadataUri,
      orders
    })
    let asOf = 0n

    const load = Effect.gen(function* () {
      const { slot, value } = yield* accounts.listAt(agents)
      yield* index.putAll(value, slot)
      asOf = slot
      return new ProtocolEvents.Cursor({ program, genesis, slot })
    })

    const decoded = (info: AccountInfo): AgentAccount | undefined => {
      if (info.owner !== program) return undefined
      const account = Either.getOrUndefined(AccountType.agent.decode(info.data))
      if (account === undefined) return undefined
      return located(AccountType.agent, info.address, account, program) === undefined ? account : undefined
    }

    /** Reads the agents of these events again. No instruction closes an agent, so one that is absent is on a lagging node. */
    const update = (items: Iterable<ProtocolEvents.Item>) =>
      Effect.gen(function* () {
        const changed = new Set<Address>()
        let newest = asOf
        for (const { cursor, event } of items) {
          if (event._tag === "AgentRegistered" || event._tag === "AgentUpdated") changed.add(event.agent)
          if (cursor.slot > newest) newest = cursor.slot
        }
        const addresses = [...changed]
        for (let at = 0; at < addresses.length; at += Limits.MAX_MULTIPLE_ACCOUNTS) {
          const part = addresses.slice(at, at + Limits.MAX_MULTIPLE_ACCOUNTS)
          const { slot, value } = yield* pool.getMultipleAccounts(part, { minContextSlot: newest })
          for (const info of value) {
            const account = Option.isSome(info) ? decoded(info.value) : undefined
            if (Option.isSome(info) && account !== undefined) index.put(info.value.address, account, slot)
          }
        }
        asOf = newest
      })

    const follow = (from: ProtocolEvents.Cursor) =>
      Stream.runForEachChunk(events.stream({ from, kinds: ["AgentRegistered", "AgentUpdated"] }), update)

    /** Follows for ever. After a failure it lists again, which also covers what an event stream has lost. */
    const keepUp = (first: ProtocolEvents.Cursor) =>
      Effect.gen(function* () {
        let failures = 0
        let following = follow(first)
        while (true) {
          const before = asOf
          const error = yield* Effect.flip(following)
          if (asOf > before) failures = 0
          const millis = yield* Backoff.fullJitter(BACKOFF.base, BACKOFF.cap, failures++)
          yield* Effect.logWarning(`Discovery reads all agents again after ${Math.ceil(millis)} ms: ${error.message}`)
          yield* Effect.sleep(millis)
          following = Effect.flatMap(load, follow)
        }
      })

    yield* Effect.forkScoped(keepUp(yield* load))

    return Discovery.of({
      agents: (query = {}) =>
        Effect.gen(function* () {
          const sort = yield* checkSort(query.sort ?? "reputation")
          const limit = yield* Check.integer("limit", query.limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT)
          const least = yield* Check.bigInteger("minReputation", query.minReputation ?? 0n)
          const greatest = yield* Check.bigInteger("maxReputation", query.maxReputation ?? GREATEST, least)
          const since = yield* Check.bigInteger("activeSince", query.activeSince ?? LEAST, LEAST, GREATEST)
          const isByReputation = sort === "reputation"
          const found = index.search({
            order: sort,
            all: yield* Check.bigInteger("all", query.all ?? 0n),
            any: yield* Check.bigInteger("any", query.any ?? 0n),
            text: yield* checkText(query.text ?? ""),
            min: isByReputation ? least : since,
            max: isByReputation ? greatest : GREATEST,
            isWanted: ({ lastUpdated, reputation }) =>
              lastUpdated >= since && reputation >= least && reputation <= greatest,
            after: query.cursor === undefined ? undefined : yield* Cursors.parse(sort, query.cursor),
            limit
          })
          const items = found.slice(0, limit).map(({ account, address }) => ({ address, account }))
          const last = found.length > limit ? items.at(-1) : undefined
          return {
            items,
            next: Option.map(Option.fromNullable(last), ({ account, address }) =>
              Cursors.format(sort, { key: orders[sort](account), address })
            ),
            asOf
          }
        }),
      similar: (walletOrAgent, options) =>
        Given.effect({ walletOrAgent }, () =>
          Effect.gen(function* () {
            const limit = yield* Check.integer("limit", options?.limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT)
            const address = agentAddress(walletOrAgent, program)
            const agent = index.get(address)
            if (agent === undefined) return yield* new AccountNotFound({ account: "AgentAccount", address })
            return yield* Similarity.best(index.all(), agent, limit)
          })
        ),
      asOf: Effect.sync(() => asOf),
      size: Effect.sync(() => index.size)
    })
  }
)

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Discovery, RpcError, ProtocolEvents.ProtocolEvents | RpcPool> = Layer.scoped(
  Discovery,
  make
)

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Discovery> => TestLayer.layer(Discovery, stubs)
