import { type Address, lamports } from "@solana/kit"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Cache from "../../services/Cache.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import { AgentAccount, encode } from "../../src/protocol/Account.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"

export const GENESIS = Blockhash.fromBytes(new Uint8Array(32).fill(7))

/** The wallet and the agent's address of a small number. */
export const agentOf = (name: number): { readonly wallet: Address; readonly address: Address } => {
  const bytes = new Uint8Array(32).fill(1)
  new DataView(bytes.buffer).setUint32(0, name)
  const wallet = Addresses.fromBytes(bytes)
  return { wallet, address: Pda.agent(wallet).address }
}

/** The data of an agent. */
export const agentBytes = (wallet: Address, metadataUri: string): Uint8Array =>
  Either.getOrThrow(
    encode(
      AgentAccount.make({
        wallet,
        capabilities: 1n,
        reputation: 100n,
        lastUpdated: 1n,
        metadataUri,
        invitesSent: 0,
        lastInviteAt: 0n,
        bump: Pda.agent(wallet).bump
      })
    )
  )

/** An account of the program in a node's reply. */
export const infoOf = (address: Address, data: Uint8Array) => ({
  address,
  data,
  lamports: lamports(1_000_000n),
  owner: PROGRAM_ID,
  executable: false,
  space: BigInt(data.length)
})

/** A chain of agents behind one endpoint. Each write is a slot. */
export class Chain extends Context.Tag("test/CachedChain")<
  Chain,
  {
    readonly write: (name: number, metadataUri: string) => Effect.Effect<bigint>
    readonly writeBytes: (name: number, data: Uint8Array) => Effect.Effect<bigint>
    /** The number of calls for accounts. */
    readonly reads: Effect.Effect<number>
    /** The next calls read the state at once, and answer when the gate opens. */
    readonly hold: Effect.Effect<Deferred.Deferred<void>>
    readonly failing: (isFailing: boolean) => Effect.Effect<void>
    /** Restarts the chain at this slot, with the present accounts. */
    readonly beginAt: (slot: bigint) => Effect.Effect<void>
    /** Returns this slot in each answer. */
    readonly lie: (slot: bigint | undefined) => Effect.Effect<void>
  }
>() {}

const make = Effect.sync(() => {
  const accounts = new Map<Address, Uint8Array>()
  let slot = 0n
  let reads = 0
  let gate: Deferred.Deferred<void> | undefined
  let isFailing = false
  let lie: bigint | undefined
  const writeBytes = (name: number, data: Uint8Array) =>
    Effect.sync(() => {
      accounts.set(agentOf(name).address, data)
      slot++
      return slot
    })
  const chain = Chain.of({
    write: (name, metadataUri) => writeBytes(name, agentBytes(agentOf(name).wallet, metadataUri)),
    writeBytes,
    reads: Effect.sync(() => reads),
    hold: Effect.tap(Deferred.make<void>(), (made) => {
      gate = made
    }),
    failing: (is) =>
      Effect.sync(() => {
        isFailing = is
      }),
    beginAt: (first) =>
      Effect.sync(() => {
        slot = first
      }),
    lie: (slot) =>
      Effect.sync(() => {
        lie = slot
      })
  })
  const at = (address: Address) =>
    Option.map(Option.fromNullable(accounts.get(address)), (data) => infoOf(address, data))
  const answer = <A>(read: () => A, options: RpcPool.AccountOptions | undefined) =>
    Effect.suspend(() => {
      reads++
      const error = { method: "getAccountInfo", detail: "test" }
      if (isFailing) return new RpcError({ ...error, reason: "Transport" })
      if ((options?.minContextSlot ?? 0n) > slot) return new RpcError({ ...error, reason: "Node", code: -32016 })
      const answer = { slot: lie ?? slot, value: read() }
      return gate === undefined ? Effect.succeed(answer) : Effect.as(Deferred.await(gate), answer)
    })
  const pool: Partial<RpcPool.Service> = {
    getGenesisHash: Effect.succeed(GENESIS),
    getSlot: () => Effect.sync(() => slot),
    getAccountInfo: (address, options) => answer(() => at(address), options),
    getMultipleAccounts: (addresses, options) => answer(() => addresses.map(at), options)
  }
  return Layer.merge(Layer.succeed(Chain, chain), RpcPool.layerTest(pool))
})

export const chain: Layer.Layer<Chain | RpcPool.RpcPool> = Layer.unwrapEffect(make)

/** A chain and a cache in memory over it. */
export const layer = (options?: Cache.Options) => Cache.layerMemory(options).pipe(Layer.provideMerge(chain))
