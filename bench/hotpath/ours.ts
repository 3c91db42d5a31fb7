/**
 * The library's public path: `Message.send` over `Transactions`.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import * as ProfilerNode from "../../layers/ProfilerNode.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Profiler from "../../services/Profiler.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import * as Pack from "../../services/transactions/compile/Pack.js"
import * as Wallet from "../../services/Wallet.js"
import * as Base64 from "../../src/solana/Base64.js"
import { keyPair, payload, recipient, secretKey } from "./fixtures.js"
import { transport } from "./node.js"

/** The last text for a node. It is stored, so that the engine cannot remove the work. */
export let sent = ""

/** A service that signs and encodes transactions and does not send them. */
const toTheWire = Layer.scoped(
  Transactions.Transactions,
  Effect.map(Transactions.make(), (real) => {
    const send: Transactions.Service["send"] = (instructions, options) =>
      Effect.map(real.sign(instructions, options), ({ fee, signature, wire }) => {
        sent = Base64.encode(wire)
        return { signature, slot: 1n, fee }
      })
    return Transactions.Transactions.of({
      ...real,
      send,
      sendPacked: (items, options = {}) =>
        Effect.flatMap(Wallet.Wallet, (wallet) =>
          Effect.forEach(Pack.pack(wallet, items, options), (pack) =>
            Effect.map(Effect.either(send(pack.flatMap(({ instructions }) => instructions))), (outcome) =>
              pack.map(() => outcome)
            )
          )
        ).pipe(Effect.map((outcomes) => outcomes.flat()))
    })
  })
)

/** A store that drops all payloads. */
const payloads = Layer.succeed(
  PayloadStore.PayloadStore,
  PayloadStore.make({
    synchronous: true,
    set: () => Effect.void,
    get: () => Effect.succeedNone,
    has: () => Effect.succeed(false),
    remove: () => Effect.void
  })
)

/**
 * Signatures are looked up every 3 ms. A longer interval lets the process sleep, and code after a sleep runs slower. A
 * shorter one makes the look-ups a part of the result.
 */
const transactions = Transactions.layer({ pollInterval: "3 millis" })

/** A wallet that signs by `node:crypto`. */
export const nodeWallet = WalletNode.layerKeyPair(keyPair)

/** A wallet that signs by libsodium. */
export const sodiumWallet = WalletNode.layerSecretKey(Redacted.make(secretKey))

const layerOver = <E>(
  layer: Layer.Layer<Transactions.Transactions, E, RpcPool.RpcPool>,
  pool: Layer.Layer<RpcPool.RpcPool, E>,
  wallet = nodeWallet
) =>
  Message.layer.pipe(Layer.provide(layer), Layer.provideMerge(Layer.merge(pool, payloads)), Layer.provideMerge(wallet))

const runtimeOver = <E>(...layers: Parameters<typeof layerOver<E>>) => ManagedRuntime.make(layerOver(...layers))

/** Messages in a call. They run in one fiber, so that the cost of a fiber is not measured. */
export const MESSAGES = 32

const inOneFiber = Effect.gen(function* () {
  const messages = yield* Message.Message
  for (let index = 0; index < MESSAGES; index++) {
    yield* messages.send({ recipient: recipient(index), payload: payload() })
  }
})

const native = Effect.runSync(Effect.tracer)
let last: Tracer.Span | undefined

/** Makes spans like Effect's own tracer, for which the services make no spans, and keeps the last one. */
const recording = Tracer.make({
  context: (f, fiber) => native.context(f, fiber),
  span: (...span) => (last = native.span(...span))
})

/** The name of the last span. Without one, the traced columns are not valid. */
export const lastSpan = (): string | undefined => last?.name

type Run = (effect: Effect.Effect<unknown, unknown, Message.Message | Wallet.Wallet>) => Promise<unknown>

const runsOf = (run: Run, effect: Effect.Effect<unknown, unknown, Message.Message | Wallet.Wallet>) => ({
  traced: () => run(Effect.withTracer(effect, recording)),
  untraced: () => run(effect)
})

/** Builds and signs. */
export const builder = (wallet = nodeWallet) => {
  const { runPromise } = runtimeOver(toTheWire, RpcPool.layer(transport), wallet)
  return runsOf(runPromise, inOneFiber)
}

/** The layer for {@link inOneFiber}, to build and to sign. */
const building = layerOver(toTheWire, RpcPool.layer(transport))

/** Builds and signs, over layers that observe it. */
export const observed = <A, E>(observers: Layer.Layer<A, E>) => {
  const { runPromise } = ManagedRuntime.make(Layer.provideMerge(building, observers))
  return () => runPromise(inOneFiber)
}

/** Milliseconds of CPU of a number of calls, each in its own fiber like those of `runPromise`. */
const timed = (calls: number) =>
  Effect.gen(function* () {
    const before = process.cpuUsage()
    for (let call = 0; call < calls; call++) yield* Effect.flatMap(Effect.fork(inOneFiber), Fiber.join)
    const { system, user } = process.cpuUsage(before)
    return (system + user) / 1000
  })

/** Builds and signs repeatedly, and returns the milliseconds of CPU. */
export const unprofiled = () => {
  const { runPromise } = ManagedRuntime.make(building)
  return (calls: number): Promise<number> => runPromise(timed(calls))
}

/** As {@link unprofiled}, under the profiler. */
export const profiled = (options: Profiler.CpuOptions) => {
  const { runPromise } = ManagedRuntime.make(Layer.merge(building, ProfilerNode.layer()))
  return (calls: number): Promise<number> =>
    runPromise(
      Effect.flatMap(Profiler.Profiler, ({ cpu }) => Effect.map(cpu(timed(calls), options), ([millis]) => millis))
    )
}

const inputs = (length = 100) =>
  Array.from({ length }, (_, index) => ({ recipient: recipient(index), payload: payload() }))

const sendAll = (length?: number) =>
  Effect.suspend(() => Effect.flatMap(Message.Message, (messages) => messages.sendAll(inputs(length))))

/** Builds and signs, with as many messages in a transaction as fit. */
export const packer = (wallet = nodeWallet) => {
  const { runPromise } = runtimeOver(toTheWire, RpcPool.layer(transport), wallet)
  return runsOf(runPromise, sendAll(MESSAGES))
}

/** The transaction in base64 that contains messages with these payloads to the first recipients. */
export const wireOf = async (payloads: ReadonlyArray<Uint8Array>): Promise<string> => {
  const { runPromise } = runtimeOver(toTheWire, RpcPool.layer(transport), sodiumWallet)
  const inputs = payloads.map((payload, index) => ({ recipient: recipient(index), payload, raw: true }))
  await runPromise(Effect.flatMap(Message.Message, (messages) => messages.sendAll(inputs)))
  return sent
}

/** Sends a hundred messages, each in its own call. */
export const oneByOne = Effect.suspend(() =>
  Effect.flatMap(Message.Message, (messages) =>
    Effect.forEach(inputs(), (input) => messages.send(input), { concurrency: 20, discard: true })
  )
)

/** The layer for {@link oneByOne}, over a node that answers at once. */
export const layer = layerOver(transactions, RpcPool.layer(transport))

/** Sends a hundred messages, over a node that answers at once or over the given pool. */
export const hundred = <E>(pool?: Layer.Layer<RpcPool.RpcPool, E>) => {
  const { runPromise } = runtimeOver<unknown>(transactions, pool ?? RpcPool.layer(transport))
  return { oneByOne: runsOf(runPromise, oneByOne), packed: runsOf(runPromise, sendAll()) }
}
