import * as Effect from "effect/Effect"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import { type Service, Wallet } from "../../services/Wallet.js"

export const METADATA_URI = "https://example.com/agent.json"

/** Runs an effect with this wallet. */
export const as = (wallet: Service) => Effect.provideService(Wallet, wallet)

/** A funded wallet with an agent. */
export const registered = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const wallet = yield* TestWallets.funded
  const { address } = yield* agents.register({ metadataUri: METADATA_URI }).pipe(as(wallet))
  return { wallet, agent: address }
})
