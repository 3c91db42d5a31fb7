/** The searches in the tables: checks of the fields, and pages. */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../../src/internal/check.js"
import { model } from "../../src/internal/jsonable.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import type { Account, AgentAccount, ChannelAccount } from "../../src/protocol/Account.js"
import * as MessageTypes from "../../src/protocol/MessageType.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Turns from "../internal/eventLoop.js"
import { traced } from "../internal/traced.js"
import { agentAddress } from "../program/agentAddress.js"
import * as Given from "../program/givenAddresses.js"
import { AccountNotFound } from "../ProgramAccount.js"
import { Best } from "./Best.js"
import * as Cursors from "./cursor.js"
import * as Kinds from "./kinds.js"
import type { Live } from "./live.js"
import type { AgentQuery, Busy, ChannelQuery, Counts, KindName, MessageQuery, Page, Paging, Scored } from "./models.js"
import * as Scores from "./scores.js"
import type { Found, Place, Query, Range } from "./SearchIndex.js"
import type { Table } from "./Table.js"

const MAX_LIMIT = 1000
const DEFAULT_LIMIT = 20

/** The range of 64-bit integers, signed or unsigned. */
const LEAST = -(2n ** 63n)
const GREATEST = Check.MAX_U64

const checkText = (text = ""): Either.Either<string, InvalidInput> =>
  typeof text === "string" ? Either.right(text) : Either.left(new InvalidInput({ field: "text", rule: "must be text" }))

const isMessageType = Schema.is(MessageTypes.MessageType)

const checkType = (type: MessageTypes.MessageType): Either.Either<MessageTypes.MessageType, InvalidInput> =>
  isMessageType(type)
    ? Either.right(type)
    : Either.left(new InvalidInput({ field: "type", rule: "must be a message type" }))

/** Checks a range with one or two given ends. */
const checkRange = (
  [minField, min]: readonly [string, bigint | undefined],
  [maxField, max]: readonly [string, bigint | undefined],
  least = 0n
): Either.Either<Range | undefined, InvalidInput> =>
  Either.gen(function* () {
    if (min === undefined && max === undefined) return undefined
    const checked = yield* Check.bigInteger(minField, min ?? least, least)
    return { min: checked, max: yield* Check.bigInteger(maxField, max ?? GREATEST, checked) }
  })

const NO_END = ["", undefined] as const

const checkIndexed = ({ kinds }: Live, kind: KindName): Either.Either<void, InvalidInput> =>
  kinds.has(kind)
    ? Either.void
    : Either.left(new InvalidInput({ field: "kinds", rule: `must contain ${kind}, in the options of the layer` }))

const checkPaging = (list: string, { cursor, limit }: Paging) =>
  Either.gen(function* () {
    const after: Place | undefined = cursor === undefined ? undefined : yield* Cursors.parse(list, cursor)
    return { limit: yield* Check.integer("limit", limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT), after }
  })

/** Makes a page from a result that may have one item more than the limit. */
const pageOf = <Item extends { readonly address: Address }>(
  found: ReadonlyArray<Item>,
  {
    asOf,
    keyOf,
    limit,
    list
  }: {
    readonly list: string
    readonly limit: number
    readonly keyOf: (item: Item) => bigint
    readonly asOf: bigint
  }
): Page<Item> => {
  const items = found.slice(0, limit)
  const last = found.length > limit ? items.at(-1) : undefined
  return model({
    items,
    next: Option.map(Option.fromNullable(last), (item) =>
      Cursors.format(list, { key: keyOf(item), address: item.address })
    ),
    asOf
  })
}

type Conditions<Order extends string> = Pick<Query<Order>, "ranges" | "terms"> & {
  readonly order: Order
  readonly text: string | undefined
}

const search = <A extends Account, Order extends string>(
  live: Live,
  { index, kind }: Table<A, Order>,
  { order, ranges, terms, text }: Conditions<Order>,
  paging: Paging
): Either.Either<Page<Found<A>>, InvalidInput> =>
  Either.gen(function* () {
    const list = `${kind.name}.${order}`
    const { after, limit } = yield* checkPaging(list, paging)
    const found = index.search({ order, ranges, terms, text: yield* checkText(text), after, limit })
    return pageOf(
      found.map(({ account, address }) => ({ address, account })),
      { list, limit, keyOf: ({ account }) => kind.columns.orders[order](account), asOf: live.asOf() }
    )
  })

const agents = (live: Live, query: AgentQuery) =>
  Either.gen(function* () {
    yield* checkIndexed(live, "agents")
    const all = yield* Check.bigInteger("all", query.all ?? 0n)
    const any = yield* Check.bigInteger("any", query.any ?? 0n)
    const order = yield* Check.oneOf("sort", query.sort ?? "reputation", ["reputation", "recent"])
    const reputation = yield* checkRange(["minReputation", query.minReputation], ["maxReputation", query.maxReputation])
    const recent = yield* checkRange(["activeSince", query.activeSince], NO_END, LEAST)
    const terms = [...Kinds.bitTerms(all).map((term) => [term]), ...(any === 0n ? [] : [Kinds.bitTerms(any)])]
    return yield* search(live, live.agents, { order, terms, ranges: { reputation, recent }, text: query.text }, query)
  })

const channels = (live: Live, query: ChannelQuery) =>
  Either.gen(function* () {
    yield* checkIndexed(live, "channels")
    const terms: Array<ReadonlyArray<string>> = []
    if (query.creator !== undefined) terms.push([Kinds.creatorTerm(query.creator)])
    if (query.visibility !== undefined) {
      const visibility = yield* Check.oneOf("visibility", query.visibility, MessageTypes.ChannelVisibility.literals)
      terms.push([Kinds.visibilityTerm(visibility)])
    }
    if (query.active === true) terms.push([Kinds.ACTIVE])
    if (query.hasRoom === true) terms.push([Kinds.ROOM])
    const order = yield* Check.oneOf("sort", query.sort ?? "participants", ["participants", "recent"])
    const ranges = {
      participants: yield* checkRange(["minParticipants", query.minParticipants], NO_END),
      recent: yield* checkRange(["createdSince", query.createdSince], NO_END, LEAST),
      fee: yield* checkRange(NO_END, ["maxFee", query.maxFee])
    }
    return yield* search(live, live.channels, { order, terms, ranges, text: query.text }, query)
  })

const messages = (live: Live, query: MessageQuery) =>
  Either.gen(function* () {
    yield* checkIndexed(live, "messages")
    const terms: Array<ReadonlyArray<string>> = []
    if (query.kind !== undefined) terms.push([yield* Check.oneOf("kind", query.kind, [Kinds.DIRECT, Kinds.BROADCAST])])
    if (query.sender !== undefined) terms.push([Kinds.senderTerm(agentAddress(query.sender, live.program))])
    if (query.recipient !== undefined) terms.push([Kinds.recipientTerm(query.recipient)])
    if (query.channel !== undefined) terms.push([Kinds.channelTerm(query.channel)])
    if (query.type !== undefined) terms.push([Kinds.typeTerm(yield* checkType(query.type))])
    if (query.status !== undefined) {
      terms.push([Kinds.statusTerm(yield* Check.oneOf("status", query.status, MessageTypes.MessageStatus.literals))])
    }
    const recent = yield* checkRange(["since", query.since], ["until", query.until], LEAST)
    return yield* search(live, live.messages, { order: "recent", terms, ranges: { recent }, text: query.text }, query)
  })

/** Makes a page of scored accounts for an agent. */
const scoredFor =
  <A>(
    live: Live,
    list: string,
    kind: KindName,
    find: (
      agent: Found<AgentAccount>,
      paging: { readonly after: Place | undefined; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Scored<A>>>
  ) =>
  (walletOrAgent: Address, options: Paging = {}): Effect.Effect<Page<Scored<A>>, AccountNotFound | InvalidInput> =>
    Given.effect({ walletOrAgent }, () =>
      Effect.gen(function* () {
        yield* checkIndexed(live, "agents")
        yield* checkIndexed(live, kind)
        const paging = yield* checkPaging(list, options)
        const address = agentAddress(walletOrAgent, live.program)
        const agent = live.agents.index.get(address)
        if (agent === undefined) return yield* new AccountNotFound({ account: "AgentAccount", address })
        const asOf = live.asOf()
        const found = yield* find(agent, paging)
        return pageOf(found, { list, limit: paging.limit, keyOf: ({ score }) => Scores.keyOf(score), asOf })
      })
    ).pipe(traced(`Discovery.${list}`))

/** The agents or channels with the most messages, then by address. */
const busiest = (
  live: Live,
  by: "channel" | "sender",
  { limit }: Pick<Paging, "limit">
): Effect.Effect<ReadonlyArray<Busy>, InvalidInput> =>
  Effect.gen(function* () {
    yield* checkIndexed(live, "messages")
    const termOf =
      (yield* Check.oneOf("by", by, ["channel", "sender"])) === "sender" ? Kinds.senderTerm : Kinds.channelTerm
    const best = new Best<{ readonly address: string; readonly messages: number }>(
      yield* Check.integer("limit", limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT),
      (a, b) => b.messages - a.messages || (a.address < b.address ? -1 : 1)
    )
    yield* Turns.steps(() =>
      live.messages.index.sizes(termOf(""), (address, messages) => best.add({ address, messages }))
    )
    return best.items.map(({ address, messages }) => ({ address: Addresses.known(address), messages }))
  })

const counts = ({ agents, channels, escrows, messages, participants }: Live): Counts =>
  model({
    agents: agents.index.size,
    channels: {
      total: channels.index.size,
      active: channels.index.count(Kinds.ACTIVE),
      public: channels.index.count(Kinds.visibilityTerm("Public")),
      private: channels.index.count(Kinds.visibilityTerm("Private"))
    },
    memberships: participants.index.count(Kinds.MEMBER),
    escrows: model({ total: escrows.index.size, lamports: escrows.index.total }),
    messages: {
      direct: messages.index.count(Kinds.DIRECT),
      broadcast: messages.index.count(Kinds.BROADCAST),
      byStatus: {
        Pending: messages.index.count(Kinds.statusTerm("Pending")),
        Delivered: messages.index.count(Kinds.statusTerm("Delivered")),
        Read: messages.index.count(Kinds.statusTerm("Read")),
        Failed: messages.index.count(Kinds.statusTerm("Failed"))
      }
    }
  })

export const make = (live: Live) => ({
  agents: (query: AgentQuery = {}) => traced("Discovery.agents")(Effect.suspend(() => agents(live, query))),
  channels: (query: ChannelQuery = {}) =>
    Given.effect({ creator: query.creator }, () => channels(live, query)).pipe(traced("Discovery.channels")),
  messages: (query: MessageQuery = {}) =>
    Given.effect({ sender: query.sender, recipient: query.recipient, channel: query.channel }, () =>
      messages(live, query)
    ).pipe(traced("Discovery.messages")),
  similar: scoredFor<AgentAccount>(live, "similar", "agents", (agent, paging) =>
    Scores.similar(live.agents.index, agent, paging)
  ),
  recommendAgents: scoredFor<AgentAccount>(live, "recommendAgents", "agents", (agent, paging) =>
    Scores.recommendedAgents(live.agents.index, live.messages.index, agent, paging)
  ),
  recommendChannels: scoredFor<ChannelAccount>(live, "recommendChannels", "channels", (agent, paging) =>
    Scores.recommendedChannels(live.channels.index, live.participants.index, agent, paging)
  ),
  busiest: (by: "channel" | "sender", options: Pick<Paging, "limit"> = {}) =>
    traced("Discovery.busiest")(busiest(live, by, options)),
  asOf: Effect.sync(live.asOf),
  counts: Effect.sync(() => counts(live))
})
