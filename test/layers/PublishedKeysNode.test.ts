import { createServer } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as MetadataNode from "../../layers/MetadataNode.js"
import * as Pod from "../../layers/Pod.js"
import * as SealingNode from "../../layers/SealingNode.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import { Metadata } from "../../services/Metadata.js"
import * as PublishedKeys from "../../services/PublishedKeys.js"
import type { Service as Wallet } from "../../services/Wallet.js"
import * as SealingKey from "../../src/protocol/SealingKey.js"
import { as, registered } from "../support/agents.js"

/** A web server on loopback that serves this document, and 503 without one. */
const site = Effect.acquireRelease(
  Effect.async<{ document: string | undefined; readonly uri: string; readonly close: () => void }>((resume) => {
    const server = createServer((_, response) => {
      response.writeHead(made.document === undefined ? 503 : 200, { "content-type": "application/json" })
      response.end(made.document)
    })
    const made = { document: undefined, uri: "", close: () => void server.close().closeAllConnections() }
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed(Object.assign(made, { uri: `http://127.0.0.1:${port}/agent.json` })))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** Documents as an application reads them; loopback is for the test alone. */
const Live = Layer.unwrapEffect(
  Effect.map(Metadata, ({ document }) => PublishedKeys.layer((metadataUri) => document({ metadataUri })))
).pipe(Layer.provide(MetadataNode.layer({ allowHttp: true, allowLoopback: true })), Layer.provideMerge(Pod.layerTest))

describe("published keys over HTTP", () => {
  it.scopedLive(
    "Given an agent that publishes a key in its served metadata, When a message is sealed to it, Then its secret alone opens it",
    () =>
      Effect.gen(function* () {
        const served = yield* site
        const messages = yield* Message.Message
        const { wallet: ada } = yield* registered
        const { wallet: both } = yield* registered
        const bo: Wallet = { address: both.address, sign: both.sign }
        yield* Effect.flatMap(Agent.Agent, ({ update }) => update({ metadataUri: served.uri })).pipe(as(bo))
        const send = messages
          .send({ recipient: bo.address, payload: "for a device", seal: true, sealTo: "published" })
          .pipe(as(ada))
        expect(yield* Effect.flip(send)).toMatchObject({ _tag: "SealedError", reason: "KeyUnavailable" })

        const secret = yield* SealingNode.generateKey
        const x25519 = yield* SealingKey.format(yield* SealingNode.publicKey(secret))
        served.document = JSON.stringify({ name: "Bo", sealing: { x25519 } })
        yield* send
        const message = Chunk.unsafeLast(yield* Stream.runCollect(messages.inbox(bo.address)))
        expect(yield* messages.text(message).pipe(as(yield* SealingNode.withKeys(bo, [secret])))).toBe("for a device")
        const others = yield* SealingNode.withKeys(bo, [yield* SealingNode.generateKey])
        expect(yield* Effect.flip(messages.text(message).pipe(as(others)))).toMatchObject({ reason: "Rejected" })
        // The wallet's own key does not open what was sealed to another.
        expect(yield* Effect.flip(messages.text(message).pipe(as(both)))).toMatchObject({ reason: "NoSealingKey" })
        expect(Option.isSome(yield* Effect.flatMap(PublishedKeys.PublishedKeys, ({ find }) => find(bo.address)))).toBe(
          true
        )
      }).pipe(Effect.provide(Live))
  )
})
