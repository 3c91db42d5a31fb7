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
import { SubscriptionObserver } from "../../services/SubscriptionObserver.js"
import * as Transactions from "../../services/Transactions.js"
import { DirectMessage, encode } from "../../src/protocol/Account.js"
import { Text } from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"

const wallet = (name: number) => Addresses.fromBytes(new Uint8Array(32).fill(name))
const [sender, recipient] = [wallet(200), wallet(201)]

const seedsOf = (name: number) => ({ sender, recipient, payloadHash: new Uint8Array(32).fill(name), type: Text })

const addressOf = (name: number) => Either.getOrThrow(Pda.message(seedsOf(name))).address

/** A message as a node gives it: its payload is its name, its age the name in seconds. */
const infoOf = (name: number) => {
  const { address, bump } = Either.getOrThrow(Pda.message(seedsOf(name)))
  const data = Either.getOrThrow(
    encode(
      new DirectMessage({
        ...seedsOf(name),
        createdAt: BigInt(name),
        expiresAt: BigInt(name) + 604_800n,
        status: "Pending",
        bump
      })
    )
  )
  const space = BigInt(data.length)
  return { address, data, lamports: lamports(1n), owner: PROGRAM_ID, executable: false, space }
}

/** What the node has, and what it notifies. */
const node = (state: { has: ReadonlyArray<number> }, live: ReturnType<RpcPool.Service["programSubscribe"]>) => {
  let slot = 1n
  return Message.layer.pipe(
    Layer.provide([
      RpcPool.layerTest({
        getProgramAccounts: () => Effect.sync(() => ({ slot: slot++, value: state.has.map(infoOf) })),
        programSubscribe: () => live
      }),
      Transactions.layerTest({}),
      PayloadStore.layerTest({})
    ])
  )
}

const inbox = (follow: Message.MailboxOptions["follow"]) =>
  Stream.unwrap(Effect.map(Message.Message, (messages) => messages.inbox(recipient, { follow })))

const follow = inbox(true)

/** A subscription that stands, and what it notifies then. */
const standing = (notified: ReturnType<RpcPool.Service["programSubscribe"]>) =>
  Stream.unwrap(
    Effect.map(SubscriptionObserver, (observer) =>
      Stream.concat(Stream.drain(Stream.fromEffect(observer.established({ host: "node" }))), notified)
    )
  )

const notification = (name: number) => ({ slot: 2n, value: infoOf(name) })

const fails = (reason: SubscriptionError["reason"]) =>
  Stream.fail(new SubscriptionError({ reason, method: "programSubscribe", detail: "the test says so" }))

const collect = (seen: Array<string>) =>
  Stream.runForEach(follow, ({ address }) => Effect.sync(() => seen.push(address)))

it.effect(
  "Given existing and new messages, When the inbox is followed, Then the oldest comes first and each once",
  () => {
    const live = standing(Stream.concat(Stream.make(notification(2), notification(3)), Stream.never))
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const follower = yield* Effect.fork(collect(seen))
      yield* TestClock.adjust("1 seconds")
      expect(seen).toEqual([addressOf(1), addressOf(2), addressOf(3)])
      yield* Fiber.interrupt(follower)
    }).pipe(Effect.provide(node({ has: [2, 1] }, live)))
  }
)

it.effect("Given a lost subscription, When it is made again, Then messages that landed meanwhile come once", () => {
  const state = { has: [1] }
  const lives = [standing(Stream.concat(Stream.make(notification(2)), fails("Closed"))), standing(Stream.never)]
  const live = Stream.suspend(() => lives.shift() ?? Stream.never)
  return Effect.gen(function* () {
    const seen: Array<string> = []
    const follower = yield* Effect.fork(collect(seen))
    yield* TestClock.adjust(0)
    state.has = [3, 1, 2]
    yield* TestClock.adjust("1 minutes")
    expect(seen).toEqual([addressOf(1), addressOf(2), addressOf(3)])
    yield* Fiber.interrupt(follower)
  }).pipe(Effect.provide(node(state, live)))
})

it.effect(
  "Given a subscription that the node refuses, When the inbox is followed, Then existing messages come before the error",
  () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const error = yield* Effect.flip(collect(seen))
      expect(error).toMatchObject({ _tag: "SubscriptionError", reason: "Refused" })
      expect(seen).toEqual([addressOf(1)])
    }).pipe(Effect.provide(node({ has: [1] }, standing(fails("Refused")))))
)

it.effect(
  "Given accounts that are no messages, When the inbox is followed, Then they are counted and passed over",
  () => {
    const junk = { slot: 2n, value: { ...infoOf(4), data: Uint8Array.of(1, 2, 3) } }
    const foreign = { slot: 2n, value: { ...infoOf(5), owner: Addresses.SYSTEM_PROGRAM } }
    const elsewhere = { slot: 2n, value: { ...infoOf(6), address: wallet(6) } }
    const live = standing(Stream.concat(Stream.make(junk, foreign, elsewhere, notification(3)), Stream.never))
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const follower = yield* Effect.fork(collect(seen))
      yield* TestClock.adjust("1 seconds")
      expect(seen).toEqual([addressOf(1), addressOf(3)])
      yield* Fiber.interrupt(follower)
    }).pipe(Effect.provide(node({ has: [1] }, live)))
  }
)

it.effect("Given a message without a notification, When the inbox is followed, Then a later read emits it", () => {
  const state: { has: ReadonlyArray<number> } = { has: [] }
  const live = standing(Stream.concat(Stream.make(notification(199)), Stream.never))
  return Effect.gen(function* () {
    const seen: Array<string> = []
    const follower = yield* Effect.fork(
      Stream.runForEach(inbox({ resyncInterval: "2 minutes" }), ({ address }) => Effect.sync(() => seen.push(address)))
    )
    yield* TestClock.adjust("1 seconds")
    state.has = [199, 1]
    yield* TestClock.adjust("2 minutes")
    expect(seen).toEqual([addressOf(199)])
    yield* TestClock.adjust("10 minutes")
    expect(seen).toEqual([addressOf(199), addressOf(1)])
    yield* Fiber.interrupt(follower)
  }).pipe(Effect.provide(node(state, live)))
})

it.effect("Given a resync interval of 0, When the inbox is followed, Then it fails with InvalidInput", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Stream.runDrain(inbox({ resyncInterval: 0 })))
    expect(error).toMatchObject({ _tag: "InvalidInput", field: "resyncInterval" })
  }).pipe(Effect.provide(node({ has: [] }, Stream.never)))
)
