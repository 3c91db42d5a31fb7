import { expect, layer } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Receipt from "../../services/Receipt.js"
import { as, registered } from "../support/agents.js"

const Order = Schema.Struct({ pay: Schema.Int, to: Schema.NonEmptyString })

layer(Pod.layerTest)("receipts and payloads", (it) => {
  it.effect("Given a receipt, When its schema encodes and decodes JSON, Then the receipt is equal", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { wallet } = yield* registered
      const receipt = yield* messages.send({ recipient: wallet.address, payload: "x" }).pipe(as(wallet))
      const schema = Schema.parseJson(Receipt.MessageReceipt)
      expect(yield* Schema.decode(schema)(yield* Schema.encode(schema)(receipt))).toEqual(receipt)
      const { signature, slot, fee, address } = receipt
      const account = Schema.parseJson(Receipt.AccountReceipt)
      expect(yield* Schema.decode(account)(yield* Schema.encode(account)(receipt))).toEqual({
        signature,
        slot,
        fee,
        address
      })
    })
  )

  it.effect("Given a send that landed and failed, When it ends, Then its payload is removed; a shared one stays", () =>
    Effect.gen(function* () {
      const wallet = yield* TestWallets.funded
      const payloads = yield* PayloadStore.PayloadStore
      const put: Array<Uint8Array> = []
      const spy = PayloadStore.PayloadStore.of({
        ...payloads,
        put: (bytes, options) => Effect.tap(payloads.put(bytes, options), (hash) => Effect.sync(() => put.push(hash)))
      })
      const send = (input: Partial<Message.SendInput>) =>
        Effect.flatMap(Message.Message, (messages) =>
          messages.send({ recipient: wallet.address, payload: "x", ...input }, { preflight: false })
        ).pipe(
          as(wallet),
          Effect.provide(Layer.fresh(Message.layer)),
          Effect.provideService(PayloadStore.PayloadStore, spy),
          Effect.flip
        )
      // The wallet is no agent.
      for (const input of [{}, { id: "x" }, { raw: true }])
        expect(yield* send(input)).toMatchObject({ _tag: "ProgramError" })
      expect(yield* Effect.forEach(put, (hash) => payloads.has(hash))).toEqual([false, true, true])
    })
  )

  it.effect("Given payloads, When they are read as text and as JSON, Then invalid ones fail with a typed error", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const { wallet } = yield* registered
      const send = (payload: Uint8Array | string, raw = false) =>
        Effect.map(messages.send({ recipient: wallet.address, payload, raw }), ({ address }) => address).pipe(
          as(wallet)
        )
      const order = (address: Address) => messages.json(address, Order)
      expect(yield* messages.text(yield* send("grüße"))).toBe("grüße")
      expect(yield* messages.text(yield* send("bare", true), { raw: true })).toBe("bare")
      expect(yield* order(yield* send('{"pay":5,"to":"bo"}'))).toEqual({ pay: 5, to: "bo" })
      const binary = yield* send(Uint8Array.of(0xff, 0xfe))
      for (const read of [Effect.asVoid(messages.text(binary)), Effect.asVoid(order(binary))]) {
        expect(yield* Effect.flip(Effect.mapError(read, (error): unknown => error))).toMatchObject({
          _tag: "EnvelopeDecodeError",
          reason: "Text"
        })
      }
      for (const text of ["no JSON", '{"pay":"5"}', "null", "[".repeat(100_000)]) {
        expect(yield* Effect.flip(order(yield* send(text)))).toMatchObject({ _tag: "ParseError" })
      }
    })
  )
})
