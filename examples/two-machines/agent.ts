/** What both sides share: the services from the environment, and an agent for the wallet. */
import { Agent, PayloadStoreHttp, Pod, Wallet } from "@pod-protocol/effect"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The cluster of `POD_RPC_URL`, the wallet of `POD_WALLET`, the payload server of `POD_PAYLOAD_URL`. */
export const Live = Layer.provide(Pod.layerConfig, PayloadStoreHttp.layerConfig)

/** Registers the wallet as an agent, unless it is one. Returns the wallet's address. */
export const registered = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const { address } = yield* Wallet.Wallet
  if (!(yield* agents.exists(address))) yield* agents.register({ metadataUri: "https://example.com/agent.json" })
  return address
})
