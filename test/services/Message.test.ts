import { expect, it, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import { Wallet } from "../../services/Wallet.js"
import { DirectMessage } from "../../src/protocol/Account.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { as, METADATA_URI, registered } from "../support/agents.js"
import * as Offline from "../support/offline.js"

const utf8 = new TextDecoder()

const pair = Effect.all({ alice: registered, bob: registered })

layer(Pod.layerTest)("Message", (it) => {
  it.effect("Given two agents, When one writes, Then the other reads, verifies and marks it delivered and read", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const receipt = yield* messages.send({ recipient: bob.wallet.address, payload: "hello" }).pipe(as(alice.wallet))

      const inbox = Chunk.toReadonlyArray(yield* Stream.runCollect(messages.inbox(bob.wallet.address)))
      expect(inbox).toHaveLength(1)
      const [message] = inbox
      if (message === undefined) return
      expect(message.address).toBe(receipt.address)
      expect(message.account).toMatchObject({
        sender: alice.agent,
        recipient: bob.wallet.address,
        payloadHash: receipt.payloadHash,
        type: MessageType.Text,
        status: "Pending"
      })
      expect(utf8.decode(yield* messages.payload(message))).toBe("hello")

      yield* messages.markDelivered(message).pipe(as(bob.wallet))
      expect((yield* messages.get(message.address)).account.status).toBe("Delivered")
      const marked = yield* messages.markRead(message.address).pipe(as(bob.wallet))
      expect(marked.address).toBe(message.address)
      expect((yield* messages.get(message.address)).account.status).toBe("Read")
    })
  )

  it.effect("Given messages to several, When the outbox is read by wallet or agent, Then it holds them all", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const carol = yield* registered
      const receipts = yield* Effect.forEach([bob, carol, bob], ({ wallet }) =>
        messages.send({ recipient: wallet.address, payload: "same words" })
      ).pipe(as(alice.wallet))
      const sent = receipts.map(({ address }) => address).toSorted()
      for (const name of [alice.wallet.address, alice.agent]) {
        const outbox = yield* Stream.runCollect(messages.outbox(name))
        expect(
          Chunk.toReadonlyArray(outbox)
            .map(({ address }) => address)
            .toSorted()
        ).toEqual(sent)
      }
    })
  )

  it.effect("Given bytes of a custom type, When sent, Then type and bytes come back", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const payload = Uint8Array.of(0, 255, 1)
      const { address } = yield* messages
        .send({ recipient: bob.wallet.address, payload, type: MessageType.Custom(251) })
        .pipe(as(alice.wallet))
      expect((yield* messages.get(address)).account.type).toEqual(MessageType.Custom(251))
      expect(yield* messages.payload(address)).toEqual(payload)
    })
  )

  it.effect(
    "Given the same bytes twice, When they are sent raw, Then the second is DuplicateMessage; in envelopes both land",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const { alice, bob } = yield* pair
        const input = { recipient: bob.wallet.address, payload: "again" }
        const first = yield* messages.send({ ...input, raw: true }).pipe(as(alice.wallet))
        const error = yield* messages.send({ ...input, raw: true }).pipe(as(alice.wallet), Effect.flip)
        expect(error).toMatchObject({ _tag: "ProgramError", reason: "DuplicateMessage" })
        const others = yield* Effect.forEach([input, input], (each) => messages.send(each)).pipe(as(alice.wallet))
        expect(new Set([first, ...others].map(({ address }) => address)).size).toBe(3)
      })
  )

  it.effect(
    "Given bare bytes, When they are read without raw, Then it is EnvelopeDecodeError; with raw they come back",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const { alice, bob } = yield* pair
        const { address } = yield* messages
          .send({ recipient: bob.wallet.address, payload: "bare", raw: true })
          .pipe(as(alice.wallet))
        expect(yield* Effect.flip(messages.payload(address))).toMatchObject({ _tag: "EnvelopeDecodeError" })
        expect(utf8.decode(yield* messages.payload(address, { raw: true }))).toBe("bare")
      })
  )

  it.effect("Given a message, When another wallet marks it, Then it fails with Unauthorized", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const carol = yield* registered
      const { address } = yield* messages
        .send({ recipient: bob.wallet.address, payload: "private" })
        .pipe(as(alice.wallet))
      for (const mark of [messages.markDelivered, messages.markFailed]) {
        expect(yield* mark(address).pipe(as(carol.wallet), Effect.flip)).toMatchObject({ reason: "Unauthorized" })
      }
    })
  )

  it.effect(
    "Given a message that was read, When its status is set back, Then the client and the program refuse it",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const { alice, bob } = yield* pair
        const { address } = yield* messages
          .send({ recipient: bob.wallet.address, payload: "onwards" })
          .pipe(as(alice.wallet))
        yield* messages.markDelivered(address).pipe(as(bob.wallet))
        yield* messages.markRead(address).pipe(as(bob.wallet))
        const read = yield* messages.get(address)
        expect(yield* messages.markDelivered(read).pipe(as(bob.wallet), Effect.flip)).toMatchObject({
          _tag: "InvalidInput",
          field: "message"
        })
        expect(yield* messages.markDelivered(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject({
          _tag: "ProgramError",
          reason: "InvalidMessageStatusTransition"
        })
      })
  )

  it.effect("Given a message, When it is marked as failed, Then its status is Failed", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const { address } = yield* messages
        .send({ recipient: bob.wallet.address, payload: "?", type: MessageType.Command })
        .pipe(as(alice.wallet))
      yield* messages.markFailed(yield* messages.get(address)).pipe(as(bob.wallet))
      expect((yield* messages.get(address)).account.status).toBe("Failed")
    })
  )

  it.effect("Given a wallet without an agent, When it sends, Then it fails with AccountNotInitialized", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const bob = yield* registered
      const stranger = yield* TestWallets.funded
      const error = yield* messages
        .send({ recipient: bob.wallet.address, payload: "hi" })
        .pipe(as(stranger), Effect.flip)
      expect(error).toMatchObject({ _tag: "ProgramError", reason: "AccountNotInitialized" })
    })
  )

  it.effect("Given one bad input among many, When all are sent, Then each has a result, in order", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const recipient = bob.wallet.address
      const results = yield* messages
        .sendAll(
          [
            ...Array.from({ length: 10 }, (_, index) => ({ recipient, payload: `message ${index}` })),
            { recipient: bob.agent, payload: "to no wallet" }
          ],
          { concurrency: 4 }
        )
        .pipe(as(alice.wallet))
      expect(results.map(Either.isRight)).toEqual([...Array.from({ length: 10 }, () => true), false])
      const texts = yield* Effect.forEach(
        Either.all(results.slice(0, 10)).pipe(Either.getOrElse(() => [])),
        (receipt) => Effect.map(messages.payload(receipt.address), (bytes) => utf8.decode(bytes))
      )
      expect(texts).toEqual(Array.from({ length: 10 }, (_, index) => `message ${index}`))
      expect(yield* Stream.runCount(messages.inbox(recipient))).toBe(10)
    })
  )

  it.effect("Given a payload that is not in the store, When it is read, Then it fails with NotFound", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const store = yield* PayloadStore.PayloadStore
      const { alice, bob } = yield* pair
      const { address, payloadHash } = yield* messages
        .send({ recipient: bob.wallet.address, payload: "gone" })
        .pipe(as(alice.wallet))
      yield* store.remove(payloadHash)
      expect(yield* Effect.flip(messages.payload(address))).toMatchObject({ _tag: "PayloadNotFound", waited: 0 })
    })
  )

  it.effect(
    "Given a follower, When messages arrive and change status, Then each is emitted once, after the existing ones",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const { alice, bob } = yield* pair
        const send = (payload: string) =>
          messages.send({ recipient: bob.wallet.address, payload }).pipe(as(alice.wallet))
        const before = yield* Effect.forEach(["one", "two"], send)
        const seen: Array<string> = []
        const follower = yield* messages.inbox(bob.wallet.address, { follow: true }).pipe(
          Stream.tap(({ address }) => Effect.sync(() => seen.push(address))),
          Stream.take(4),
          Stream.runDrain,
          Effect.fork
        )
        yield* Effect.yieldNow().pipe(Effect.repeat({ until: () => seen.length === 2 }))
        for (const { address } of before) yield* messages.markDelivered(address).pipe(as(bob.wallet))
        const after = yield* Effect.forEach(["three", "four"], send)
        yield* Fiber.join(follower)
        expect(seen.slice(0, 2).toSorted()).toEqual(before.map(({ address }) => address).toSorted())
        expect(seen.slice(2)).toEqual(after.map(({ address }) => address))
      })
  )
})

it.scoped("Given a message of 8 days ago, When it is marked, Then it fails with MessageExpired", () =>
  Effect.gen(function* () {
    const messages = yield* Message.Message
    const { alice, bob } = yield* pair
    const { address } = yield* messages.send({ recipient: bob.wallet.address, payload: "late" }).pipe(as(alice.wallet))
    yield* TestClock.adjust("8 days")
    expect(yield* messages.markDelivered(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject({
      _tag: "ProgramError",
      reason: "MessageExpired"
    })
  }).pipe(Effect.provide(Pod.layerTest))
)

it.scoped("Given messages of three days, When the inbox is read, Then the oldest comes first", () =>
  Effect.gen(function* () {
    const messages = yield* Message.Message
    const { alice, bob } = yield* pair
    const sent: Array<string> = []
    for (const payload of ["monday", "tuesday", "wednesday"]) {
      sent.push((yield* messages.send({ recipient: bob.wallet.address, payload }).pipe(as(alice.wallet))).address)
      yield* TestClock.adjust("1 days")
    }
    const inbox = yield* Stream.runCollect(messages.inbox(bob.wallet.address))
    expect(Chunk.toReadonlyArray(inbox).map(({ address }) => address)).toEqual(sent)
  }).pipe(Effect.provide(Pod.layerTest))
)

const evil = Layer.sync(PayloadStore.PayloadStore, () => {
  const kept = new Map<string, Uint8Array>()
  return PayloadStore.make({
    set: (key, bytes) =>
      Effect.sync(() =>
        kept.set(
          key,
          bytes.map((byte) => byte ^ 1)
        )
      ),
    get: (key) => Effect.sync(() => Option.fromNullable(kept.get(key))),
    has: (key) => Effect.sync(() => kept.has(key)),
    remove: (key) => Effect.sync(() => kept.delete(key))
  })
})

it.scoped("Given a store that changes a byte, When the payload is read, Then it fails with HashMismatch", () =>
  Effect.gen(function* () {
    const wallets = yield* TestWallets.TestWallets
    const [alice, bob] = yield* Effect.all([wallets.funded, wallets.funded])
    yield* Effect.flatMap(Agent.Agent, (agents) => agents.register({ metadataUri: METADATA_URI })).pipe(as(alice))
    const messages = yield* Message.Message
    const { address } = yield* messages.send({ recipient: bob.address, payload: "hello." }).pipe(as(alice))
    expect(yield* Effect.flip(messages.payload(address))).toMatchObject({
      _tag: "PayloadStoreError",
      reason: "HashMismatch"
    })
  }).pipe(Effect.provide(Layer.fresh(Message.layer).pipe(Layer.provide(evil), Layer.provideMerge(Pod.layerTest))))
)

layer(Offline.layer)("Message without a network", (it) => {
  it.effect(
    "Given input that breaks a rule, When it is sent or marked, Then InvalidInput comes before any call or write",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const wallet = yield* Wallet
        const recipient = wallet.address
        const { address: agent } = Pda.agent(recipient)
        const read = {
          address: agent,
          account: new DirectMessage({
            sender: agent,
            recipient,
            payloadHash: new Uint8Array(32),
            createdAt: 0n,
            expiresAt: 604_800n,
            type: MessageType.Text,
            status: "Read",
            bump: 255
          })
        }
        const calls = [
          [messages.send({ recipient, payload: "hi", type: MessageType.Custom(252) }), "type"],
          [messages.send({ recipient: agent, payload: "hi" }), "recipient"],
          [messages.markDelivered(read), "message"],
          [messages.markRead(read), "message"],
          [messages.markFailed(read), "message"]
        ] as const
        for (const [call, field] of calls) {
          expect(yield* call.pipe(as(wallet), Effect.flip)).toMatchObject({ _tag: "InvalidInput", field })
        }
        expect(yield* Offline.rpcCalls).toBe(0)
      })
  )
})
