/** Scores for similar agents and for recommendations of agents and channels: from 0 to 1, rounded to six digits. */
import * as Effect from "effect/Effect"
import type { AgentAccount, ChannelAccount, ChannelParticipant } from "../../src/protocol/Account.js"
import * as Turns from "../internal/eventLoop.js"
import { Best } from "./Best.js"
import * as Kinds from "./kinds.js"
import type { Found, Overlap, Place, SearchIndex } from "./SearchIndex.js"

const DIGITS = 1e6

/** Age in seconds at which the freshness is 0. */
const FRESH_SECONDS = 30 * 86_400

export type Scored<A> = Found<A> & { readonly score: number }

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

const rounded = (score: number): number => Math.round(score * DIGITS) / DIGITS

/** A score as the key of a place. */
export const keyOf = (score: number): bigint => BigInt(Math.round(score * DIGITS))

const resemblance = ({ terms, words }: Overlap): number =>
  rounded(0.7 * share(terms.both, terms.either) + 0.3 * share(words.both, words.either))

/** From 1 for the newest item to 0 for an item that is 30 days older. */
const freshness = (time: bigint, newest: bigint): number => Math.max(0, 1 - Number(newest - time) / FRESH_SECONDS)

const compare = (a: Scored<unknown>, b: Scored<unknown>): number =>
  b.score - a.score || (a.address < b.address ? -1 : a.address > b.address ? 1 : 0)

interface Paging {
  readonly after: Place | undefined
  readonly limit: number
}

const isBehind = (after: Place | undefined, score: number, address: string): boolean => {
  if (after === undefined) return true
  const key = keyOf(score)
  return key === after.key ? address > after.address : key < after.key
}

/** The accounts with the best scores behind a place: at most one more than the limit. A score of 0 is left out. */
const best = <A, Order extends string>(
  index: SearchIndex<A, Order>,
  terms: ReadonlyArray<string>,
  text: string,
  { after, limit }: Paging,
  scoreOf: (found: Found<A>, overlap: Overlap) => number
): Effect.Effect<ReadonlyArray<Scored<A>>> =>
  Effect.suspend(() => {
    const kept = new Best<Scored<A>>(limit + 1, compare)
    const visit = (found: Found<A>, overlap: Overlap): void => {
      const score = scoreOf(found, overlap)
      if (score > 0 && isBehind(after, score, found.address)) {
        kept.add({ address: found.address, account: found.account, score })
      }
    }
    return Effect.map(
      Turns.steps(() => index.overlaps(terms, text, visit)),
      () => kept.items
    )
  })

type Agents = SearchIndex<AgentAccount, Kinds.AgentOrder>

export const similar = (
  agents: Agents,
  agent: Found<AgentAccount>,
  paging: Paging
): Effect.Effect<ReadonlyArray<Scored<AgentAccount>>> =>
  best(agents, Kinds.bitTerms(agent.account.capabilities), agent.account.metadataUri, paging, (found, overlap) =>
    found.address === agent.address ? 0 : resemblance(overlap)
  )

/** Wallets and agents that exchanged direct messages with an agent. */
const contactsOf = (
  messages: SearchIndex<Kinds.AnyMessage, "recent">,
  { account, address }: Found<AgentAccount>
): ReadonlySet<string> => {
  const contacts = new Set<string>()
  for (const { account: message } of messages.withTerm(Kinds.senderTerm(address))) {
    if (message._tag === "DirectMessage") contacts.add(message.recipient)
  }
  for (const recipient of [address, account.wallet]) {
    for (const { account: message } of messages.withTerm(Kinds.recipientTerm(recipient))) contacts.add(message.sender)
  }
  return contacts
}

export const recommendedAgents = (
  agents: Agents,
  messages: SearchIndex<Kinds.AnyMessage, "recent">,
  agent: Found<AgentAccount>,
  paging: Paging
): Effect.Effect<ReadonlyArray<Scored<AgentAccount>>> =>
  Effect.suspend(() => {
    const contacts = contactsOf(messages, agent)
    const newest = agents.highest("recent") ?? 0n
    const highest = Number(agents.highest("reputation") ?? 0n)
    return best(
      agents,
      Kinds.bitTerms(agent.account.capabilities),
      agent.account.metadataUri,
      paging,
      (found, overlap) => {
        const { lastUpdated, reputation, wallet } = found.account
        if (found.address === agent.address || contacts.has(found.address) || contacts.has(wallet)) return 0
        const common = resemblance(overlap)
        if (common === 0) return 0
        return rounded(0.6 * common + 0.2 * share(Number(reputation), highest) + 0.2 * freshness(lastUpdated, newest))
      }
    )
  })

export const recommendedChannels = (
  channels: SearchIndex<ChannelAccount, Kinds.ChannelOrder>,
  participants: SearchIndex<ChannelParticipant, "recent">,
  agent: Found<AgentAccount>,
  paging: Paging
): Effect.Effect<ReadonlyArray<Scored<ChannelAccount>>> =>
  Effect.suspend(() => {
    const joined = new Set(participants.withTerm(Kinds.agentTerm(agent.address)).map(({ account }) => account.channel))
    const newest = channels.highest("recent") ?? 0n
    const most = Number(channels.highest("participants") ?? 0n)
    return best(channels, [], agent.account.metadataUri, paging, ({ account, address }, { words }) => {
      const { createdAt, creator, currentParticipants, isActive, maxParticipants, visibility } = account
      const isOpen = isActive && visibility === "Public" && currentParticipants < maxParticipants
      if (!isOpen || creator === agent.account.wallet || joined.has(address)) return 0
      return rounded(
        0.5 * share(words.both, words.either) +
          0.3 * share(currentParticipants, most) +
          0.2 * freshness(createdAt, newest)
      )
    })
  })
