/** This SDK, with the preset for measuring. */
import { ed25519 } from "@noble/curves/ed25519.js"
import { lamports } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Pod from "../../layers/Pod.js"
import * as PodConfig from "../../layers/PodConfig.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Wallet from "../../services/Wallet.js"
import { recipient } from "../hotpath/fixtures.js"
import type { Contender, Job } from "./protocol.js"
import { CAPABILITIES, payload, randomBytes, stock, URI } from "./protocol.js"

/** Messages of a batch. */
export const BATCH = 100

export const layerOf = ({ url, wsUrl }: Job["node"]) =>
  Pod.layer({
    ...PodConfig.benchmark,
    url: Redacted.make(url),
    wsUrl: Redacted.make(wsUrl)
  }).pipe(Layer.provideMerge(PayloadStore.layerMemory))

const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")

/** A wallet that signs by `node:crypto`, or by libsodium. */
const newWallet = (isSodium: boolean) =>
  Effect.gen(function* () {
    const seed = randomBytes()
    const publicKey = ed25519.getPublicKey(seed)
    if (isSodium) return yield* WalletNode.fromSecretKey(Redacted.make(Uint8Array.of(...seed, ...publicKey)))
    const keyPair = yield* Effect.promise(async () => ({
      privateKey: await crypto.subtle.importKey("pkcs8", Buffer.concat([PKCS8_PREFIX, seed]), "Ed25519", true, [
        "sign"
      ]),
      publicKey: await crypto.subtle.importKey("raw", Buffer.from(publicKey), "Ed25519", true, ["verify"])
    }))
    return yield* WalletNode.fromKeyPair(keyPair)
  })

export const funded = (isSodium: boolean) =>
  Effect.gen(function* () {
    const rpc = yield* RpcPool.RpcPool
    const wallet = yield* newWallet(isSodium)
    yield* rpc.requestAirdrop(wallet.address, lamports(100_000_000_000n))
    yield* Effect.repeat(rpc.getBalance(wallet.address), {
      until: ({ value }) => value > 0n,
      schedule: Schedule.spaced("100 millis")
    })
    return wallet
  })

export const registered = (isSodium: boolean) =>
  Effect.gen(function* () {
    const wallet = yield* funded(isSodium)
    const agents = yield* Agent.Agent
    yield* Effect.provideService(
      agents.register({ capabilities: BigInt(CAPABILITIES), metadataUri: URI }),
      Wallet.Wallet,
      wallet
    )
    return wallet
  })

export const contender = async (job: Job): Promise<Contender> => {
  const runtime = ManagedRuntime.make(layerOf(job.node))
  const isSodium = job.sdk === "sodium"
  const agents = await runtime.runPromise(Agent.Agent)
  const messages = await runtime.runPromise(Message.Message)
  const some = <A, E>(one: Effect.Effect<A, E, Agent.Agent | RpcPool.RpcPool>) =>
    stock((count) => runtime.runPromise(Effect.replicateEffect(one, count)))

  if (job.operation === "register") {
    const wallets = some(funded(isSodium))
    return {
      prepare: wallets.prepare,
      run: () =>
        runtime.runPromise(
          Effect.provideService(
            agents.register({ capabilities: BigInt(CAPABILITIES), metadataUri: URI }),
            Wallet.Wallet,
            wallets.take()
          )
        )
    }
  }
  const wallet = await runtime.runPromise(registered(isSodium))
  const asWallet = Effect.provideService(Wallet.Wallet, wallet)
  if (job.sdk === "batched")
    return {
      size: BATCH,
      run: async (index, count) => {
        const inputs = Array.from({ length: count }, (_, nth) => ({
          recipient: recipient(index + nth),
          payload: payload()
        }))
        const results = await runtime.runPromise(asWallet(messages.sendAll(inputs)))
        for (const result of results) if (result._tag === "Left") throw new Error(result.left.message)
      }
    }
  return {
    run: (index) => runtime.runPromise(asWallet(messages.send({ recipient: recipient(index), payload: payload() })))
  }
}
