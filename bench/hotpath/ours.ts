/**
 * The library's public path: `Message.send` over `Transactions`.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import type * as Wallet from "../../services/Wallet.js"
import * as Base64 from "../../src/solana/Base64.js"
import { payload, recipient, secretKey } from "./fixtures.js"
import { transport } from "./node.js"

/** The last text that would go to a node, so that it is made. */
export let sent = ""

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

/** Signatures are looked up 20 times a second: often enough to end, seldom enough not to be what is measured. */
const transactions = Transactions.layer({ pollInterval: "50 millis" })

const runtimeOver = <E>(
  layer: Layer.Layer<Transactions.Transactions, E, RpcPool.RpcPool>,
  pool: Layer.Layer<RpcPool.RpcPool, E>
) =>
  ManagedRuntime.make(
    Message.layer.pipe(
      Layer.provide(layer),
      Layer.provideMerge(Layer.merge(pool, payloads)),
      Layer.provideMerge(WalletNode.layerSecretKey(Redacted.make(secretKey)))
    )
  )

/** Messages in a call. They run in one fiber, so that what a fiber costs is not what is measured. */
export const MESSAGES = 32

const inOneFiber = Effect.gen(function* () {
  const messages = yield* Message.Message
  for (let index = 0; index < MESSAGES; index++) {
    yield* messages.send({ recipient: recipient(index), payload: payload() })
  }
})

type Run = (effect: Effect.Effect<unknown, unknown, Message.Message | Wallet.Wallet>) => Promise<unknown>

const runsOf = (run: Run, effect: Effect.Effect<unknown, unknown, Message.Message | Wallet.Wallet>) => ({
  traced: () => run(effect),
  untraced: () => run(Effect.withTracerEnabled(effect, false))
})

/** Builds and signs. */
export const builder = () => {
  const { runPromise } = runtimeOver(toTheWire, RpcPool.layer(transport))
  return runsOf(runPromise, inOneFiber)
}

const inputs = () => Array.from({ length: 100 }, (_, index) => ({ recipient: recipient(index), payload: payload() }))

/** Sends a hundred, over a node that answers at once or over the pool that is given. */
export const hundred = <E>(pool?: Layer.Layer<RpcPool.RpcPool, E>) => {
  const { runPromise } = runtimeOver<unknown>(transactions, pool ?? RpcPool.layer(transport))
  const oneByOne = Effect.suspend(() =>
    Effect.flatMap(Message.Message, (messages) =>
      Effect.forEach(inputs(), (input) => messages.send(input), { concurrency: 20, discard: true })
    )
  )
  const packed = Effect.suspend(() => Effect.flatMap(Message.Message, (messages) => messages.sendAll(inputs())))
  return { oneByOne: runsOf(runPromise, oneByOne), packed: runsOf(runPromise, packed) }
}
