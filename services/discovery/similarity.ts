/** How much two agents have in common, and which have the most. */
import type { AgentAccount } from "../../src/protocol/Account.js"
import type { Found } from "./SearchIndex.js"
import { tokens } from "./tokens.js"

const BITS = 0.7
const WORDS = 0.3
const DIGITS = 1e6

const count = (bits: bigint): number => {
  let found = 0
  for (let rest = BigInt.asUintN(64, bits); rest !== 0n; rest &= rest - 1n) found++
  return found
}

const share = (common: number, all: number): number => (all === 0 ? 0 : common / all)

/** The agents that resemble one the most: the highest score first, then by address. */
export const best = (
  all: Iterable<Found<AgentAccount>>,
  { account, address }: Found<AgentAccount>,
  limit: number
): ReadonlyArray<Found<AgentAccount> & { readonly score: number }> => {
  const own = new Set(tokens(account.metadataUri))
  const scored: Array<Found<AgentAccount> & { readonly score: number }> = []
  for (const other of all) {
    if (other.address === address) continue
    const bits = other.account.capabilities
    const words = tokens(other.account.metadataUri)
    const common = words.filter((word) => own.has(word)).length
    const score =
      BITS * share(count(bits & account.capabilities), count(bits | account.capabilities)) +
      WORDS * share(common, own.size + words.length - common)
    const rounded = Math.round(score * DIGITS) / DIGITS
    if (rounded > 0) scored.push({ address: other.address, account: other.account, score: rounded })
  }
  return scored.toSorted((a, b) => b.score - a.score || (a.address < b.address ? -1 : 1)).slice(0, limit)
}
