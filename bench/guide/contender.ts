/** One operation of the guide's targets, in its own process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Pod from "../../layers/Pod.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Wallet from "../../services/Wallet.js"
import * as Cluster from "../embedded.js"
import { recipient } from "../hotpath/fixtures.js"
import { serve } from "../sdks/answers.js"
import * as Ours from "../sdks/ours.js"
import { CAPABILITIES, type Contender, payload, stock, URI } from "../sdks/protocol.js"
import type { Job } from "./protocol.js"

const inProcess = Pod.layerServices({ subscribe: true }).pipe(
  Layer.provideMerge(Layer.merge(RpcPoolEmbedded.layer, PayloadStore.layerMemory)),
  Layer.provideMerge(Cluster.layer())
)

const messagesFrom = (index: number, count: number) =>
  Array.from({ length: count }, (_, nth) => ({ recipient: recipient(index + nth), payload: payload() }))

const contender = async ({ node, operation }: Job): Promise<Contender> => {
  const runtime = ManagedRuntime.make(Layer.orDie(node === undefined ? inProcess : Layer.orDie(Ours.layerOf(node))))
  const agents = await runtime.runPromise(Agent.Agent)
  const channels = await runtime.runPromise(Channel.Channel)
  const messages = await runtime.runPromise(Message.Message)
  if (operation === "register") {
    const wallets = stock((count) => runtime.runPromise(Effect.replicateEffect(Ours.funded(false), count)))
    const register = agents.register({ capabilities: BigInt(CAPABILITIES), metadataUri: URI })
    return {
      prepare: wallets.prepare,
      run: () => runtime.runPromise(Effect.provideService(register, Wallet.Wallet, wallets.take()))
    }
  }
  const wallet = await runtime.runPromise(Ours.registered(false))
  const asWallet = Effect.provideService(Wallet.Wallet, wallet)
  if (operation === "join") {
    const creator = await runtime.runPromise(Ours.registered(false))
    let next = 0
    const create = Effect.suspend(() => channels.create({ name: `channel ${next++}` })).pipe(
      Effect.provideService(Wallet.Wallet, creator)
    )
    const created = stock((count) => runtime.runPromise(Effect.replicateEffect(create, count)))
    return {
      prepare: created.prepare,
      run: () => runtime.runPromise(asWallet(channels.join(created.take().address)))
    }
  }
  if (operation === "batch")
    return {
      run: async (index) => {
        const results = await runtime.runPromise(
          asWallet(messages.sendAll(messagesFrom(index * Ours.BATCH, Ours.BATCH)))
        )
        for (const result of results) if (result._tag === "Left") throw new Error(result.left.message)
      }
    }
  return {
    run: (index) => runtime.runPromise(asWallet(messages.send({ recipient: recipient(index), payload: payload() })))
  }
}

serve(contender)
