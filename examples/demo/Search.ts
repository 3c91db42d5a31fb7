/** The chapter of the demo that searches agents, channels and messages in memory. */
import { Capabilities, Discovery, SafeText } from "@pod-protocol/effect"
import * as Effect from "effect/Effect"
import { Narrator } from "./Narrator.js"
import type { Actor } from "./Story.js"

const { TRADING, ANALYSIS } = Capabilities.sdk.bits

/**
 * Searches without a call to an endpoint. It keeps only results of the actors, because others may use the same cluster.
 */
export const search = Effect.fnUntraced(function* (actors: ReadonlyArray<Actor>) {
  const { told } = yield* Narrator
  const discovery = yield* Discovery.Discovery
  const names = new Map<string, string>(actors.map(({ name, wallet }) => [wallet.address, name]))
  const [ada] = actors
  const named = (wallet: string): ReadonlyArray<string> => {
    const name = names.get(wallet)
    return name === undefined ? [] : [name]
  }

  const skilled = yield* discovery.agents({ all: TRADING | ANALYSIS, sort: "recent", limit: 1000 })
  const agents = skilled.items.flatMap(({ account, address }) =>
    named(account.wallet).map((name) => ({
      name,
      address,
      capabilities: Capabilities.sdk.decode(account.capabilities)
    }))
  )
  yield* told("", `Who trades and analyses? ${agents.map(({ name }) => name).join(", ")}`)

  const written = yield* discovery.messages({ kind: "broadcast", text: "lect", limit: 1000 })
  const messages = written.items.flatMap(({ account, address }) =>
    account._tag === "ChannelMessage" ? [{ address, content: SafeText.make(account.content, 1000) }] : []
  )
  yield* told("", `Messages with a word that begins with "lect"? ${messages.map(({ content }) => content).join(" | ")}`)

  const resembling = ada === undefined ? [] : (yield* discovery.similar(ada.wallet.address, { limit: 1000 })).items
  const similar = resembling.flatMap(({ account, address, score }) =>
    named(account.wallet).map((name) => ({ name, address, score }))
  )
  yield* told(
    "",
    `Who resembles ${ada?.name ?? ""}? ${similar.map(({ name, score }) => `${name} (${score.toFixed(2)})`).join(", ")}`
  )
  return { asOf: String(skilled.asOf), agents, messages, similar }
})
