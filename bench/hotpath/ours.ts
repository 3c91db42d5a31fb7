/**
 * The library's public path: `Message.send` over `Transactions`, up to the text that would go to a node.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import type { RpcTransport } from "../../services/RpcTransport.js"
import * as Transactions from "../../services/Transactions.js"
import type * as Wallet from "../../services/Wallet.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import { payload, recipient, secretKey } from "./fixtures.js"

let blockhashes = 0

/** A node that gives blockhashes, each another, and nothing else. */
const node: RpcTransport = {
  host: "bench",
  request: () =>
    Effect.sync(() => {
      const bytes = new Uint8Array(32).fill(9)
      new DataView(bytes.buffer).setUint32(0, blockhashes++)
      const value = { blockhash: Blockhashes.fromBytes(bytes), lastValidBlockHeight: 1000 }
      return { context: { slot: 1 }, value }
    }),
  batch: () => Effect.succeed([]),
  subscribe: () => Stream.empty
}

/** Transactions that are signed and encoded, and go no further. */
const toTheWire = Layer.scoped(
  Transactions.Transactions,
  Effect.map(Transactions.make(), (real) =>
    Transactions.Transactions.of({
      ...real,
      send: (instructions, options) =>
        Effect.map(real.sign(instructions, options), ({ fee, signature, wire }) => {
          sent = Base64.encode(wire)
          return { signature, slot: 1n, fee }
        })
    })
  )
)

/** A store that takes everything and keeps nothing. */
const payloads = Layer.succeed(
  PayloadStore.PayloadStore,
  PayloadStore.make({
    set: () => Effect.void,
    get: () => Effect.succeedNone,
    has: () => Effect.succeed(false),
    remove: () => Effect.void
  })
)

/** The last wire, so that it is made. */
export let sent = ""

export const layer = Message.layer.pipe(
  Layer.provide(toTheWire),
  Layer.provideMerge(Layer.merge(RpcPool.layer(node), payloads)),
  Layer.provideMerge(WalletNode.layerSecretKey(Redacted.make(secretKey)))
)

export type Services = Message.Message | Wallet.Wallet

/** Calls in one fiber, so that what a fiber costs is not what is measured. */
export const MESSAGES = 32

export const makeSender = async () => {
  const runtime = ManagedRuntime.make(layer)
  const { runPromise } = runtime
  const batch = Effect.gen(function* () {
    const messages = yield* Message.Message
    for (let index = 0; index < MESSAGES; index++) {
      yield* messages.send({ recipient: recipient(index), payload: payload() })
    }
  })
  await runPromise(batch)
  return {
    traced: () => runPromise(batch),
    untraced: () => runPromise(Effect.withTracerEnabled(batch, false)),
    dispose: () => runtime.dispose()
  }
}
