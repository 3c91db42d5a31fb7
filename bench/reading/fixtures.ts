/** Agents of a node's listing, the same in each run. */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Discovery from "../../services/Discovery.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import * as RpcPool from "../../services/RpcPool.js"
import { AgentAccount, encode } from "../../src/protocol/Account.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import { infoOf } from "../../test/support/cachedChain.js"

const WORDS = ["silver", "trader", "painter", "oracle", "writer", "broker", "scout", "judge", "tutor", "herald"]

/** Bits of capabilities that are in use. */
const BITS = 16

/** Pseudo-random numbers below a bound. */
export const numbers = (seed = 1): ((bound: number) => number) => {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

export interface Listed {
  readonly address: Address
  readonly account: AgentAccount
}

/** Agents with three of sixteen capabilities, a reputation below 1,000, and a URI of four words, one of them its own. */
export const agents = (count: number): ReadonlyArray<Listed> => {
  const next = numbers()
  const bytes = new Uint8Array(32)
  const view = new DataView(bytes.buffer)
  const address = (): Address => {
    for (let at = 0; at < 32; at += 4) view.setUint32(at, next(2 ** 32))
    return Addresses.fromBytes(Uint8Array.from(bytes))
  }
  const word = (): string => WORDS[next(WORDS.length)] ?? ""
  const listed = Array.from({ length: count }, (_, index) => {
    const wallet = address()
    const agent = Pda.agent(wallet)
    const account = AgentAccount.make(
      {
        wallet,
        capabilities: (1n << BigInt(next(BITS))) | (1n << BigInt(next(BITS))) | (1n << BigInt(next(BITS))),
        metadataUri: `https://agents.example/${word()}-${word()}/${index}.json`,
        reputation: BigInt(next(1000)),
        lastUpdated: BigInt(1_700_000_000 + next(10_000_000)),
        invitesSent: 0,
        lastInviteAt: 0n,
        bump: agent.bump
      },
      { disableValidation: true }
    )
    return { address: agent.address, account }
  })
  // An application that reads the listing has not derived these addresses
  Pda.clearCache()
  return listed
}

/** `Discovery` over a node that lists these agents, and has no events. */
export const discovery = (listed: ReadonlyArray<Listed>) => {
  const infos = listed.map(({ account, address }) => infoOf(address, Either.getOrThrow(encode(account))))
  const pool = RpcPool.layerTest({
    getGenesisHash: Effect.succeed(Blockhash.fromBytes(new Uint8Array(Blockhash.SIZE))),
    getSlot: () => Effect.succeed(7n),
    getProgramAccounts: () => Effect.succeed({ slot: 7n, value: infos })
  })
  return Discovery.layer({ kinds: ["agents"] }).pipe(Layer.provide([pool, ProtocolEvents.layerTest([])]))
}

/** Query of the bench: two capabilities, a range of reputation, and the best twenty. */
export const QUERY = { all: 3n, minReputation: 300n, maxReputation: 900n, limit: 20 } as const

/** The beginning of a word. */
export const PREFIX = "silv"
