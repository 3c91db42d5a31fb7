/** A cluster with transactions of the program, and a pool over it whose answers a test can change. */
import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import { RpcPool, type Service } from "../../services/RpcPool.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as ProtocolEvent from "../../src/protocol/ProtocolEvent.js"
import * as Hash from "../../src/solana/Hash.js"
import * as Story from "./story.js"
import { STRANGER } from "./transfers.js"

/** Changes the pool that the service uses. The test itself uses the honest one. */
export type Spoil = (pool: Service) => Partial<Service>

export interface Options {
  readonly cluster?: EmbeddedCluster.Options
  readonly events?: ProtocolEvents.Options
  readonly spoil?: Spoil
}

const spoiled = (spoil: Spoil) =>
  Layer.effect(
    RpcPool,
    Effect.map(RpcPool, (pool) => ({ ...pool, ...spoil(pool) }))
  )

/** Fast polls, so that tests are short. */
export const layer = ({ cluster, events, spoil = () => ({}) }: Options = {}) =>
  ProtocolEvents.layer({ pollInterval: "30 millis", ...events }).pipe(
    Layer.provide(spoiled(spoil)),
    Layer.provideMerge(RpcPoolEmbedded.layer),
    Layer.provideMerge(EmbeddedCluster.layer({ genesisTime: 1_700_000_000n, ...cluster }))
  )

/** The agent of most tests. */
export const sender = Story.actorOf(21)

/** Funds and registers the agent. */
export const begin = Effect.zipRight(
  Story.fund(sender),
  Story.send(sender, [
    Instruction.registerAgent({ wallet: sender.wallet, capabilities: 1n, metadataUri: "https://example.com/a.json" })
  ])
)

/** One transaction with a message for each number. */
export const say = (...numbers: ReadonlyArray<number>) =>
  Story.send(
    sender,
    numbers.map((number) =>
      Instruction.sendMessage({
        wallet: sender.wallet,
        recipient: STRANGER,
        payloadHash: Hash.sha256(new TextEncoder().encode(`message ${number}`)),
        type: MessageType.Text
      })
    )
  )

/** Transactions with one message each. */
export const sayAll = (from: number, count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => from + index),
    (number) => say(number)
  )

/** The events of these transactions, read one by one from the honest pool. */
export const eventsOf = (signatures: ReadonlyArray<Signature>) =>
  Effect.flatMap(RpcPool, (pool) =>
    Effect.map(
      Effect.forEach(signatures, (signature) =>
        Effect.map(Effect.flatten(pool.getTransaction(signature)), (transaction) =>
          Either.getOrThrow(ProtocolEvent.fromTransaction(signature, transaction))
        )
      ),
      (events) => events.flat()
    )
  )

/** Each event by its transaction and its path. */
export const names = (events: Iterable<ProtocolEvent.ProtocolEvent | ProtocolEvents.Item>): ReadonlyArray<string> =>
  Array.from(events, (one) => ("event" in one ? one.event : one)).map(({ path, signature }) => `${signature} ${path}`)

/** The signatures of the program's history, oldest first, as the node lists them. */
export const history = (program: Parameters<Service["getSignaturesForAddress"]>[0]) =>
  Effect.flatMap(RpcPool, (pool) =>
    Effect.map(pool.getSignaturesForAddress(program), (infos) =>
      infos.toReversed().flatMap(({ err, signature }) => (err === null ? [signature] : []))
    )
  )
