import { expect, it, layer } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Channel from "../../services/Channel.js"
import * as Escrow from "../../services/Escrow.js"
import { Wallet } from "../../services/Wallet.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import { as, registered } from "../support/agents.js"
import * as Offline from "../support/offline.js"

const pair = Effect.all({ alice: registered, bob: registered })

const contents = (channel: Address) =>
  Effect.flatMap(Channel.Channel, (channels) =>
    Effect.map(Stream.runCollect(channels.messages(channel)), (messages) =>
      Chunk.toReadonlyArray(messages).map(({ account }) => account.content)
    )
  )

layer(Pod.layerTest)("Channel", (it) => {
  it.effect("Given an agent, When it creates a channel, Then it is active and the creator takes part", () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const { agent, wallet } = yield* registered
      const { address } = yield* channels
        .create({ name: "general", description: "all sorts", maxParticipants: 10 })
        .pipe(as(wallet))
      const { account } = yield* channels.get(address)
      expect(account).toMatchObject({
        creator: wallet.address,
        name: "general",
        description: "all sorts",
        visibility: "Public",
        maxParticipants: 10,
        currentParticipants: 1,
        feePerMessage: 0n,
        isActive: true
      })
      const participants = yield* channels.participants(address)
      expect(participants.map(({ account }) => [account.agent, account.isActive])).toEqual([[agent, true]])
      expect(yield* channels.participant(address, wallet.address)).toEqual(participants[0])
    })
  )

  it.effect(
    "Given a channel, When its name is used again, Then its creator gets ChannelNameTaken and another wallet succeeds",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { alice, bob } = yield* pair
        const { address } = yield* channels.create({ name: "unique" }).pipe(as(alice.wallet))
        for (const version of [1, 2] as const) {
          expect(yield* channels.create({ name: "unique", version }).pipe(as(alice.wallet), Effect.flip)).toMatchObject(
            {
              _tag: "ProgramError",
              reason: "ChannelNameTaken"
            }
          )
        }
        expect((yield* channels.create({ name: "unique" }).pipe(as(bob.wallet))).address).not.toBe(address)
      })
  )

  it.effect(
    "Given a wallet without an agent, When it creates with version 1, Then the channel is active and empty",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const wallet = yield* TestWallets.funded
        const { address } = yield* channels.create({ name: "first version", version: 1 }).pipe(as(wallet))
        expect((yield* channels.get(address)).account.isActive).toBe(true)
        expect(yield* channels.participants(address)).toEqual([])
        expect(yield* channels.create({ name: "second version" }).pipe(as(wallet), Effect.flip)).toMatchObject({
          reason: "AccountNotInitialized"
        })
      })
  )

  it.effect(
    "Given a public channel, When another joins and speaks, Then both read it, and the reply names the first",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { alice, bob } = yield* pair
        const { address } = yield* channels.create({ name: "talk" }).pipe(as(alice.wallet))
        yield* channels.join(address).pipe(as(bob.wallet))
        expect((yield* channels.get(address)).account.currentParticipants).toBe(2)

        const question = yield* channels.broadcast(address, { content: "who is there?" }).pipe(as(alice.wallet))
        yield* channels
          .broadcast(address, { content: "bob", replyTo: question.address, type: MessageType.Response })
          .pipe(as(bob.wallet))
        const messages = Chunk.toReadonlyArray(yield* Stream.runCollect(channels.messages(address)))
        const answer = messages.find(({ account }) => account.sender === bob.agent)
        expect(messages).toHaveLength(2)
        expect(answer?.account).toMatchObject({
          content: "bob",
          type: MessageType.Response,
          replyTo: Option.some(question.address)
        })
      })
  )

  it.effect(
    "Given a participant, When it joins again, Then it fails with AlreadyInChannel, and after leaving it succeeds",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { alice, bob } = yield* pair
        const { address } = yield* channels.create({ name: "doors" }).pipe(as(alice.wallet))
        const joined = yield* channels.join(address).pipe(as(bob.wallet))
        expect(yield* channels.join(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject({
          _tag: "ProgramError",
          reason: "AlreadyInChannel"
        })
        const left = yield* channels.leave(address).pipe(as(bob.wallet))
        expect(left.address).toBe(joined.address)
        expect((yield* channels.participant(address, bob.agent)).account.isActive).toBe(false)
        for (const call of [channels.leave(address), channels.broadcast(address, { content: "still here?" })]) {
          expect(yield* call.pipe(as(bob.wallet), Effect.flip)).toMatchObject({ reason: "NotInChannel" })
        }
        yield* channels.join(address).pipe(as(bob.wallet))
        expect((yield* channels.participant(address, bob.agent)).account.isActive).toBe(true)
      })
  )

  it.effect("Given a channel for one participant, When another joins, Then it fails with ChannelFull", () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const { alice, bob } = yield* pair
      const { address } = yield* channels.create({ name: "cell", maxParticipants: 1 }).pipe(as(alice.wallet))
      expect(yield* channels.join(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject({ reason: "ChannelFull" })
    })
  )

  it.effect(
    "Given a private channel, When agents join, Then the invited one uses up its invitation and others are refused",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { alice, bob } = yield* pair
        const carol = yield* registered
        const { address } = yield* channels.create({ name: "secret", visibility: "Private" }).pipe(as(alice.wallet))
        expect(yield* channels.join(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject({
          reason: "PrivateChannelRequiresInvitation"
        })
        expect(yield* Effect.flip(channels.invitation(address, bob.wallet.address))).toMatchObject({
          _tag: "AccountNotFound",
          account: "ChannelInvitation"
        })

        const invited = yield* channels.invite(address, bob.wallet.address, { nonce: 42n }).pipe(as(alice.wallet))
        const invitation = yield* channels.invitation(address, bob.wallet.address)
        expect(invitation.address).toBe(invited.address)
        expect(invitation.account).toMatchObject({ inviter: alice.wallet.address, nonce: 42n, isUsed: false })
        expect(yield* channels.invite(address, bob.wallet.address).pipe(as(alice.wallet), Effect.flip)).toMatchObject({
          _tag: "ProgramError",
          reason: "AlreadyInvited"
        })

        yield* channels.join(address).pipe(as(bob.wallet))
        expect((yield* channels.invitation(address, bob.wallet.address)).account).toMatchObject({
          isAccepted: true,
          isUsed: true
        })
        expect(yield* channels.invite(address, carol.wallet.address).pipe(as(carol.wallet), Effect.flip)).toMatchObject(
          {
            reason: "Unauthorized"
          }
        )
        yield* channels.invite(address, carol.wallet.address).pipe(as(bob.wallet))
        yield* channels.join(address).pipe(as(carol.wallet))
        expect(yield* channels.participants(address)).toHaveLength(3)
      })
  )

  it.effect("Given maxFee, When the channel's fee is higher, Then nothing is sent; up to maxFee the fee is taken", () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const escrows = yield* Escrow.Escrow
      const { alice, bob } = yield* pair
      const { address } = yield* channels.create({ name: "dear", feePerMessage: 5000n }).pipe(as(alice.wallet))
      yield* escrows.deposit(address, 1_000_000n).pipe(as(bob.wallet))
      yield* channels.update(address, { feePerMessage: 900_000n }).pipe(as(alice.wallet))
      const join = (maxFee: bigint) => channels.join(address, { maxFee }).pipe(as(bob.wallet))
      for (const maxFee of [0n, 5000n, 899_999n, -1n]) {
        expect(yield* Effect.flip(join(maxFee))).toMatchObject({ _tag: "InvalidInput", field: "maxFee" })
      }
      expect((yield* escrows.get(address, bob.wallet.address)).account.amount).toBe(1_000_000n)
      yield* join(900_000n)
      expect((yield* escrows.get(address, bob.wallet.address)).account.amount).toBe(100_000n)
    })
  )

  it.effect("Given a channel with a fee, When an agent joins, Then it fails without an escrow and pays from one", () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const escrows = yield* Escrow.Escrow
      const { alice, bob } = yield* pair
      const { address } = yield* channels.create({ name: "paid", feePerMessage: 5000n }).pipe(as(alice.wallet))
      const insufficient = { _tag: "ProgramError", reason: "InsufficientFunds" }
      expect(yield* channels.join(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject(insufficient)
      yield* escrows.deposit(address, 4999n).pipe(as(bob.wallet))
      expect(yield* channels.join(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject(insufficient)
      yield* escrows.deposit(address, 2001n).pipe(as(bob.wallet))
      yield* channels.join(address).pipe(as(bob.wallet))
      expect((yield* escrows.get(address, bob.wallet.address)).account.amount).toBe(2000n)
    })
  )

  it.effect(
    "Given a channel, When it is updated, Then its creator changes it and another wallet gets Unauthorized",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { alice, bob } = yield* pair
        const { address } = yield* channels.create({ name: "old" }).pipe(as(alice.wallet))
        yield* channels.update(address, { name: "new", maxParticipants: 5, isActive: false }).pipe(as(alice.wallet))
        expect((yield* channels.get(address)).account).toMatchObject({
          name: "new",
          description: "",
          maxParticipants: 5,
          isActive: false
        })
        const unauthorized = { _tag: "ProgramError", reason: "Unauthorized" }
        expect(
          yield* channels.broadcast(address, { content: "anyone?" }).pipe(as(alice.wallet), Effect.flip)
        ).toMatchObject(unauthorized)
        expect(yield* channels.update(address, { isActive: true }).pipe(as(bob.wallet), Effect.flip)).toMatchObject(
          unauthorized
        )
      })
  )

  it.effect(
    "Given a broadcast, When its nonce or its second is used again, Then it is DuplicateMessage or RateLimitExceeded",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { wallet } = yield* registered
        const { address } = yield* channels.create({ name: "nonces" }).pipe(as(wallet))
        const broadcast = channels.broadcast(address, { content: "once", nonce: 7n }).pipe(as(wallet))
        yield* broadcast
        expect(yield* Effect.flip(broadcast)).toMatchObject({ _tag: "ProgramError", reason: "DuplicateMessage" })
        const tooSoon = yield* channels.broadcast(address, { content: "twice" }).pipe(as(wallet), Effect.flip)
        expect(tooSoon).toMatchObject({ reason: "RateLimitExceeded" })
        expect(tooSoon.isRetryable).toBe(true)
      })
  )

  it.effect(
    "Given the longest contents that the limits allow, When they are broadcast, Then they fit into a transaction",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { alice, bob } = yield* pair
        const { address } = yield* channels.create({ name: "n".repeat(32) }).pipe(as(alice.wallet))
        yield* channels.join(address).pipe(as(bob.wallet))
        const text = "word ".repeat(200)
        const first = yield* channels.broadcast(address, { content: text.slice(0, 874) }).pipe(as(alice.wallet))
        yield* channels
          .broadcast(address, { content: text.slice(0, 842), replyTo: first.address, type: MessageType.Text })
          .pipe(as(bob.wallet))
        expect((yield* contents(address)).map((content) => content.length).toSorted()).toEqual([842, 874])
      })
  )

  it.effect(
    "Given no channel at an address, When it is joined, invited to or read, Then it fails with AccountNotFound",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { agent, wallet } = yield* registered
        const calls = [
          Effect.asVoid(channels.join(wallet.address)),
          Effect.asVoid(channels.invite(wallet.address, wallet.address)),
          Effect.asVoid(channels.get(wallet.address))
        ]
        for (const call of calls) {
          expect(yield* call.pipe(as(wallet), Effect.flip)).toMatchObject({
            _tag: "AccountNotFound",
            account: "ChannelAccount"
          })
        }
        expect(yield* Effect.flip(channels.get(agent))).toMatchObject({
          _tag: "AccountDecodeError",
          reason: "Discriminator"
        })
      })
  )

  it.effect(
    "Given a follower of a channel, When messages are sent, Then each is emitted once, after the existing ones",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { alice, bob } = yield* pair
        const { address } = yield* channels.create({ name: "live" }).pipe(as(alice.wallet))
        yield* channels.join(address).pipe(as(bob.wallet))
        yield* channels.broadcast(address, { content: "before" }).pipe(as(alice.wallet))
        const seen: Array<string> = []
        const follower = yield* channels.messages(address, { follow: true }).pipe(
          Stream.tap(({ account }) => Effect.sync(() => seen.push(account.content))),
          Stream.take(2),
          Stream.runDrain,
          Effect.fork
        )
        yield* Effect.yieldNow().pipe(Effect.repeat({ until: () => seen.length === 1 }))
        yield* channels.broadcast(address, { content: "after" }).pipe(as(bob.wallet))
        yield* Fiber.join(follower)
        expect(seen).toEqual(["before", "after"])
      })
  )

  it.effect("Given a channel, When the compressed instructions are used, Then they count and store no message", () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const { alice, bob } = yield* pair
      const { address } = yield* channels.create({ name: "compressed" }).pipe(as(alice.wallet))
      const joined = yield* channels
        .joinCompressed(address, { metadataHash: new Uint8Array(32).fill(1) })
        .pipe(as(bob.wallet))
      expect(joined.fee).toBe(5000n)
      expect((yield* channels.get(address)).account.currentParticipants).toBe(2)
      yield* channels.broadcastCompressed(address, { content: "far away", ipfsHash: "QmX" }).pipe(as(alice.wallet))
      expect((yield* channels.participant(address, alice.agent)).account.messagesSent).toBe(1n)
      yield* channels
        .syncCompressed(address, { messageHashes: [new Uint8Array(32).fill(2)], syncTimestamp: 1_700_000_000n })
        .pipe(as(alice.wallet))
      expect((yield* channels.get(address)).account.totalCompressedMessages).toBe(1n)
      expect(yield* contents(address)).toEqual([])
    })
  )
})

it.scoped(
  "Given an invitation of 8 days ago, When it is used, Then it fails with MessageExpired, and a new one can be sent",
  () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const { alice, bob } = yield* pair
      const { address } = yield* channels.create({ name: "late", visibility: "Private" }).pipe(as(alice.wallet))
      yield* channels.invite(address, bob.wallet.address).pipe(as(alice.wallet))
      yield* TestClock.adjust("8 days")
      expect(yield* channels.join(address).pipe(as(bob.wallet), Effect.flip)).toMatchObject({
        reason: "MessageExpired"
      })
      yield* channels.invite(address, bob.wallet.address).pipe(as(alice.wallet))
      yield* channels.join(address).pipe(as(bob.wallet))
    }).pipe(Effect.provide(Pod.layerTest))
)

it.scoped("Given messages of one agent a second apart, When they are read, Then all arrive, oldest first", () =>
  Effect.gen(function* () {
    const channels = yield* Channel.Channel
    const cluster = yield* EmbeddedCluster.EmbeddedCluster
    const { wallet } = yield* registered
    const { address } = yield* channels.create({ name: "pace" }).pipe(as(wallet))
    const said = ["one", "two", "three", "four"]
    for (const content of said) {
      yield* channels.broadcast(address, { content }).pipe(as(wallet))
      yield* TestClock.adjust("1 seconds")
      yield* cluster.advanceSlots(1)
    }
    expect(yield* contents(address)).toEqual(said)
  }).pipe(Effect.provide(Pod.layerTest))
)

layer(Offline.layer)("Channel without a network", (it) => {
  it.effect(
    "Given input that breaks a rule, When it is written, Then InvalidInput names the field before any call",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const wallet = yield* Wallet
        const channel = wallet.address
        const calls = [
          [channels.create({ name: "n".repeat(33) }), "name"],
          [channels.create({ name: " padded" }), "name"],
          [channels.create({ name: "" }), "name"],
          [channels.create({ name: "a", description: "d".repeat(201) }), "description"],
          [channels.create({ name: "n".repeat(27), description: "d".repeat(200) }), "description"],
          [channels.create({ name: "a", maxParticipants: 1001 }), "maxParticipants"],
          [channels.create({ name: "a", feePerMessage: 1_000_000_001n }), "feePerMessage"],
          [channels.update(channel, {}), "input"],
          [channels.update(channel, { name: undefined }), "input"],
          [channels.update(channel, { name: "x ".repeat(2) }), "name"],
          [channels.update(channel, { maxParticipants: 0 }), "maxParticipants"],
          [channels.broadcast(channel, { content: " " }), "content"],
          [channels.broadcast(channel, { content: "profile: x" }), "content"],
          [channels.broadcast(channel, { content: "word ".repeat(175) }), "content"],
          [channels.broadcast(channel, { content: "word ".repeat(169), replyTo: channel }), "content"],
          [channels.broadcast(channel, { content: "hi", nonce: 2n ** 64n }), "nonce"],
          [channels.broadcastCompressed(channel, { content: "", ipfsHash: "QmX" }), "content"],
          [channels.broadcastCompressed(channel, { content: "x", ipfsHash: "no spaces" }), "ipfsHash"],
          [channels.syncCompressed(channel, { messageHashes: [new Uint8Array(32)] }), "messageHashes[0]"]
        ] as const
        for (const [call, field] of calls) {
          expect(yield* call.pipe(as(wallet), Effect.flip)).toMatchObject({ _tag: "InvalidInput", field })
        }
        expect(yield* Offline.rpcCalls).toBe(0)
      })
  )
})
