import { expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import { SubscriptionError } from "../../services/RpcTransport.js"
import * as Transactions from "../../services/Transactions.js"
import { DirectMessage, encode } from "../../src/protocol/Account.js"
import { Text } from "../../src/protocol/MessageType.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"

const addressOf = (name: number) => Addresses.fromBytes(new Uint8Array(32).fill(name))

/** A message as a node gives it: its address is its name, its age the name in seconds. */
const infoOf = (name: number) => {
  const data = Either.getOrThrow(
    encode(
      new DirectMessage({
        sender: addressOf(200),
        recipient: addressOf(201),
        payloadHash: new Uint8Array(32),
        createdAt: BigInt(name),
        expiresAt: BigInt(name) + 604_800n,
        type: Text,
        status: "Pending",
        bump: 255
      })
    )
  )
  const space = BigInt(data.length)
  return { address: addressOf(name), data, lamports: lamports(1n), owner: PROGRAM_ID, executable: false, space }
}

/** What the node has, and what it notifies. */
const node = (state: { has: ReadonlyArray<number> }, live: ReturnType<RpcPool.Service["programSubscribe"]>) =>
  Message.layer.pipe(
    Layer.provide([
      RpcPool.layerTest({
        getProgramAccounts: () => Effect.sync(() => ({ slot: 1n, value: state.has.map(infoOf) })),
        programSubscribe: () => live
      }),
      Transactions.layerTest({}),
      PayloadStore.layerTest({})
    ])
  )

const follow = Stream.unwrap(
  Effect.map(Message.Message, (messages) => messages.inbox(addressOf(201), { follow: true }))
)

it.effect(
  "given a message that landed while the subscription was opened, when listed again, then it comes, once",
  () => {
    const state = { has: [2, 1] }
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const follower = yield* follow.pipe(
        Stream.runForEach(({ address }) => Effect.sync(() => seen.push(address))),
        Effect.fork
      )
      yield* TestClock.adjust("500 millis")
      expect(seen).toEqual([addressOf(1), addressOf(2)])
      state.has = [1, 2, 3]
      yield* TestClock.adjust("500 millis")
      expect(seen).toEqual([addressOf(1), addressOf(2), addressOf(3)])
      state.has = [1, 2, 3, 4]
      yield* TestClock.adjust("1 minutes")
      expect(seen).toEqual([addressOf(1), addressOf(2), addressOf(3), addressOf(4)])
      yield* Fiber.interrupt(follower)
    }).pipe(Effect.provide(node(state, Stream.never)))
  }
)

it.effect("given a subscription that is lost, when followed, then what exists comes first and then the error", () => {
  const lost = new SubscriptionError({ reason: "Closed", method: "programSubscribe", detail: "the socket was lost" })
  return Effect.gen(function* () {
    const seen: Array<string> = []
    const error = yield* follow.pipe(
      Stream.runForEach(({ address }) => Effect.sync(() => seen.push(address))),
      Effect.flip
    )
    expect(error).toBe(lost)
    expect(seen).toEqual([addressOf(1)])
  }).pipe(Effect.provide(node({ has: [1] }, Stream.fail(lost))))
})

it.effect("given a node that sends what is no message, when read, then AccountDecodeError and no defect", () => {
  const junk = { slot: 1n, value: { ...infoOf(1), data: Uint8Array.of(1, 2, 3) } }
  return Effect.gen(function* () {
    expect(yield* Effect.flip(Stream.runDrain(follow))).toMatchObject({ _tag: "AccountDecodeError" })
  }).pipe(Effect.provide(node({ has: [] }, Stream.make(junk))))
})
