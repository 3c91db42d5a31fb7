import { expect, layer } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as SealingNode from "../../layers/SealingNode.js"
import * as Channel from "../../services/Channel.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Transactions from "../../services/Transactions.js"
import * as Envelope from "../../src/protocol/Envelope.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { as, registered } from "../support/agents.js"

const pair = Effect.all({ alice: registered, bob: registered })

/** The services of another process, over the same cluster and the same payloads. */
const elsewhere = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provide(
    effect,
    Layer.fresh(
      Layer.merge(Message.layer, Channel.layer).pipe(Layer.provide([Transactions.layer(), SealingNode.layer]))
    )
  )

layer(Pod.layerTest)("MessageId", (it) => {
  it.effect(
    "Given an id, When a send runs again here and in another process, Then there is one message and one receipt",
    () =>
      Effect.gen(function* () {
        const { alice, bob } = yield* pair
        const ids = ["request-42", new Uint8Array(16).fill(7)]
        for (const id of ids) {
          for (const seal of [false, true]) {
            const send = Effect.flatMap(Message.Message, (messages) =>
              messages.send({ recipient: bob.wallet.address, payload: "pay 5", id, seal }).pipe(as(alice.wallet))
            )
            const first = yield* send
            expect(yield* send).toEqual(first)
            expect(yield* elsewhere(send)).toEqual(first)
          }
        }
        const messages = yield* Message.Message
        expect(yield* Stream.runCount(messages.inbox(bob.wallet.address))).toBe(4)
      })
  )

  it.effect("Given an id, When eight processes send at the same time, Then all have the receipt of one message", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      const send = Effect.flatMap(Message.Message, (messages) =>
        messages.send({ recipient: bob.wallet.address, payload: "once", id: "job" }).pipe(as(alice.wallet))
      )
      const receipts = yield* Effect.all(
        Arr.makeBy(8, () => elsewhere(send)),
        { concurrency: "unbounded" }
      )
      expect(new Set(receipts.map(({ signature }) => signature)).size).toBe(1)
      const messages = yield* Message.Message
      expect(yield* Stream.runCount(messages.inbox(bob.wallet.address))).toBe(1)
    })
  )

  it.effect("Given one id, When recipient, payload, type or time differ, Then each send makes another message", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const carol = yield* registered
      const input = { recipient: bob.wallet.address, payload: "a", id: "x" }
      const inputs = [
        input,
        { ...input, payload: "b" },
        { ...input, recipient: carol.wallet.address },
        { ...input, type: MessageType.Command },
        { ...input, createdAt: 1_700_000_000_000n },
        { ...input, id: "y" }
      ]
      const receipts = yield* Effect.forEach(inputs, (each) => messages.send(each)).pipe(as(alice.wallet))
      expect(new Set(receipts.map(({ address }) => address)).size).toBe(inputs.length)
    })
  )

  it.effect("Given an id, When the envelope is read, Then it has the id and the given time, or none", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const payloads = yield* PayloadStore.PayloadStore
      const { alice, bob } = yield* pair
      const id = new Uint8Array(16).fill(9)
      for (const createdAt of [undefined, 1_700_000_000_000n]) {
        const { payloadHash } = yield* messages
          .send({ recipient: bob.wallet.address, payload: "timed", id, createdAt })
          .pipe(as(alice.wallet))
        const envelope = yield* Envelope.decode(yield* payloads.get(payloadHash))
        expect(envelope).toMatchObject({ id, createdAt: createdAt ?? 0n })
      }
    })
  )

  it.effect("Given invalid ids, When messages are sent, Then InvalidInput names them before any write", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { alice, bob } = yield* pair
      const input = { recipient: bob.wallet.address, payload: "x" }
      const cases = [
        { field: "id", input: { ...input, id: "" } },
        { field: "id", input: { ...input, id: "\ud800" } },
        { field: "id", input: { ...input, id: new Uint8Array(15) } },
        { field: "id", input: { ...input, id: "x", raw: true } },
        { field: "createdAt", input: { ...input, createdAt: 1n, raw: true } },
        { field: "createdAt", input: { ...input, id: "x", createdAt: -1n } },
        { field: "createdAt", input: { ...input, createdAt: 2n ** 64n } }
      ]
      for (const { field, input } of cases) {
        const error = yield* messages.send(input).pipe(as(alice.wallet), Effect.flip)
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
      }
    })
  )

  it.effect(
    "Given a batch with repeated ids and ids that were sent before, When it is sent, Then each id makes one message",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const { alice, bob } = yield* pair
        const named = (id: string) => ({ recipient: bob.wallet.address, payload: "batch", id })
        const before = yield* messages.send(named("1")).pipe(as(alice.wallet))
        const ids = ["0", "1", "2", "2", "3", "0"]
        const anonymous = { recipient: bob.wallet.address, payload: "batch" }
        const batch = [...ids.map(named), anonymous, anonymous]
        const receipts = Arr.getRights(yield* messages.sendAll(batch).pipe(as(alice.wallet)))
        expect(receipts).toHaveLength(batch.length)
        expect(receipts[1]).toEqual(before)
        expect(receipts[3]).toEqual(receipts[2])
        expect(receipts[5]).toEqual(receipts[0])
        expect(new Set(receipts.map(({ address }) => address)).size).toBe(6)
        const again = Arr.getRights(
          yield* elsewhere(Effect.flatMap(Message.Message, (m) => m.sendAll(ids.map(named)))).pipe(as(alice.wallet))
        )
        expect(again).toEqual(receipts.slice(0, ids.length))
      })
  )

  it.effect(
    "Given lamports at the message's address, When it is sent twice, Then the receipt is the message's own",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const cluster = yield* EmbeddedCluster.EmbeddedCluster
        const { alice, bob } = yield* pair
        const input = { recipient: bob.wallet.address, payload: "foreseen", id: "foreseen" }
        const bytes = yield* Envelope.encode({
          createdAt: 0n,
          id: (yield* Envelope.decode(yield* envelopeOf(input, alice))).id,
          payload: new TextEncoder().encode("foreseen!")
        })
        const { address } = yield* Pda.message({
          sender: alice.agent,
          recipient: bob.wallet.address,
          payloadHash: Envelope.hash(bytes),
          type: MessageType.Text
        })
        yield* cluster.airdrop(address, 1_000_000n)
        const again = { ...input, payload: "foreseen!" }
        const first = yield* messages.send(again).pipe(as(alice.wallet))
        expect(first.address).toBe(address)
        expect(yield* messages.send(again).pipe(as(alice.wallet))).toEqual(first)
      })
  )

  it.effect("Given an id, When a broadcast runs again, Then there is one message; another id makes another", () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const { alice } = yield* pair
      const { address: channel } = yield* channels.create({ name: "named" }).pipe(as(alice.wallet))
      const say = (id: string, content: string) =>
        Effect.flatMap(Channel.Channel, (channels) => channels.broadcast(channel, { content, id })).pipe(
          as(alice.wallet)
        )
      const first = yield* say("a", "hello")
      expect(yield* say("a", "hello")).toEqual(first)
      expect(yield* elsewhere(say("a", "hello again"))).toEqual(first)
      const heard = Chunk.toReadonlyArray(yield* Stream.runCollect(channels.messages(channel)))
      expect(heard.map(({ account }) => account.content)).toEqual(["hello"])
      const refused = channels.broadcast(channel, { content: "x", id: "a", nonce: 1n })
      expect(yield* refused.pipe(as(alice.wallet), Effect.flip)).toMatchObject({ _tag: "InvalidInput", field: "id" })
    })
  )
})

/** The envelope that a send with this input keeps. */
const envelopeOf = (input: Message.SendInput, alice: Effect.Effect.Success<typeof registered>) =>
  Effect.gen(function* () {
    const messages = yield* Message.Message
    const payloads = yield* PayloadStore.PayloadStore
    const { payloadHash } = yield* messages.send(input).pipe(as(alice.wallet))
    return yield* payloads.get(payloadHash)
  })
