/**
 * One agent of the exchange, in a process of its own: its argument is a `Task`. It sends its messages and reads those of
 * the other agent at the same time, and writes a `Line` for each that it has read, verified and marked.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { lamports } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Pod from "../../layers/Pod.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import { RpcPool } from "../../services/RpcPool.js"
import { Wallet } from "../../services/Wallet.js"
import * as Sealed from "../../src/protocol/Sealed.js"
import { METADATA_URI } from "../support/agents.js"
import { secretKeyOf } from "../support/wallets.js"
import { indexOf, isSealed, Line, Task, textOf } from "./Task.js"

const TEN_THOUSAND_SOL = lamports(10_000_000_000_000n)

/** Messages of one transaction or two: so few that they spread over the run. */
const TOGETHER = 4

const CONCURRENCY = 16

/** While the payload server is down. */
const AGAIN = Schedule.spaced("500 millis")

const walletOf = (seed: number) => WalletNode.fromSecretKey(Redacted.make(secretKeyOf(seed)))

const register = Effect.gen(function* () {
  const { address } = yield* Wallet
  const agents = yield* Agent.Agent
  const pool = yield* RpcPool
  yield* pool.requestAirdrop(address, TEN_THOUSAND_SOL)
  yield* Effect.retry(agents.register({ metadataUri: METADATA_URI }), AGAIN)
})

/** Sends each message until it has landed. Its id makes a repetition the same message. */
const sendAll = ({ messages, own, peer }: typeof Task.Type) =>
  Effect.gen(function* () {
    const { sendAll } = yield* Message.Message
    const { address: recipient } = yield* walletOf(peer)
    const inputs = Arr.makeBy(messages, (index) => ({
      recipient,
      payload: textOf(own, index),
      id: `${own}/${index}`,
      seal: isSealed(index)
    }))
    for (const some of Arr.chunksOf(inputs, TOGETHER)) {
      let left: ReadonlyArray<(typeof some)[number]> = some
      while (left.length > 0) {
        const outcomes = yield* sendAll(left)
        left = left.filter((_, index) => Either.isLeft(outcomes[index] ?? Either.left(undefined)))
        if (left.length > 0) yield* Effect.sleep("500 millis")
      }
    }
  })

const report = (line: typeof Line.Type) => Effect.flatMap(Effect.orDie(Schema.encode(Line)(line)), Console.log)

const readAll = ({ messages, own, peer }: typeof Task.Type) =>
  Effect.gen(function* () {
    const service = yield* Message.Message
    const { address } = yield* walletOf(own)
    yield* service.inbox(address, { follow: true }).pipe(
      Stream.take(messages),
      Stream.mapEffect(
        (message) =>
          Effect.gen(function* () {
            const text = yield* service.text(message, { wait: "1 minute" })
            const stored = yield* service.payload(message, { raw: true })
            yield* service.markDelivered(message)
            yield* service.markRead(message.address)
            const index = indexOf(text)
            const isRight = text === textOf(peer, index) && Sealed.isSealed(stored) === isSealed(index)
            yield* report({ sender: peer, index, ...(isRight ? {} : { wrong: text.slice(0, 100) }) })
          }).pipe(Effect.retry({ while: ({ _tag }) => _tag === "PayloadStoreError", schedule: AGAIN })),
        { concurrency: CONCURRENCY, unordered: true }
      ),
      Stream.runDrain
    )
  })

Effect.gen(function* () {
  const task = yield* Schema.decodeUnknown(Task)(process.argv[2])
  const live = Layer.merge(
    Pod.layer({ ...task.rpc, payloads: { url: task.payloads, token: task.token } }),
    Layer.effect(Wallet, walletOf(task.own))
  )
  yield* register.pipe(
    Effect.zipRight(Effect.all([sendAll(task), readAll(task)], { concurrency: "unbounded" })),
    Effect.provide(live)
  )
}).pipe(NodeRuntime.runMain)
