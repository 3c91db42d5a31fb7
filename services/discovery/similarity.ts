/** How much agents have in common with one, and which have the most. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { AgentAccount } from "../../src/protocol/Account.js"
import * as Turns from "../internal/eventLoop.js"
import type { Found, Indexed } from "./SearchIndex.js"

const BITS = 0.7
const WORDS = 0.3
const DIGITS = 1e6

const count = (bits: bigint): number => {
  let found = 0
  for (let rest = BigInt.asUintN(64, bits); rest !== 0n; rest &= rest - 1n) found++
  return found
}

const share = (common: number, all: number): number => (all === 0 ? 0 : common / all)

/** Agents that are scored in a quarter of a turn of the event loop. */
const PART = 256

type Scored = Found<AgentAccount> & { readonly score: number }

const scored = (
  others: ReadonlyArray<Indexed<AgentAccount>>,
  { account, address }: Indexed<AgentAccount>,
  own: ReadonlySet<string>
): ReadonlyArray<Scored> => {
  const found: Array<Scored> = []
  for (const other of others) {
    if (other.address === address) continue
    const bits = other.account.capabilities
    const common = other.words.filter(({ text }) => own.has(text)).length
    const score =
      BITS * share(count(bits & account.capabilities), count(bits | account.capabilities)) +
      WORDS * share(common, own.size + other.words.length - common)
    const rounded = Math.round(score * DIGITS) / DIGITS
    if (rounded > 0) found.push({ address: other.address, account: other.account, score: rounded })
  }
  return found
}

/** The agents that resemble one the most: the highest score first, then by address. */
export const best = (
  all: ReadonlyArray<Indexed<AgentAccount>>,
  agent: Indexed<AgentAccount>,
  limit: number
): Effect.Effect<ReadonlyArray<Scored>> => {
  const own = new Set(agent.words.map(({ text }) => text))
  return Effect.map(
    Turns.flatMap(Turns.partsOf(all, PART), (part) => Either.right(scored(part, agent, own))),
    (found) => found.toSorted((a, b) => b.score - a.score || (a.address < b.address ? -1 : 1)).slice(0, limit)
  )
}
