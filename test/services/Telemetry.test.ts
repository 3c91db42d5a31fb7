import { describe, expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import * as Pod from "../../layers/Pod.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Telemetry from "../../services/Telemetry.js"
import * as Transactions from "../../services/Transactions.js"
import * as Wallet from "../../services/Wallet.js"
import { recorder } from "../support/spans.js"

const funded = Effect.gen(function* () {
  const rpc = yield* RpcPool.RpcPool
  const wallet = yield* Wallet.generate
  yield* rpc.requestAirdrop(wallet.address, lamports(10_000_000_000n))
  return wallet
})

/** A registered wallet and a recipient on an embedded cluster, made without a tracer. */
const prepared = Effect.gen(function* () {
  const [sender, recipient] = yield* Effect.all([funded, funded])
  const agents = yield* Agent.Agent
  yield* agents
    .register({ capabilities: 1n, metadataUri: "https://example.com/a" })
    .pipe(Effect.provideService(Wallet.Wallet, sender))
  return { sender, recipient: recipient.address }
})

const run = <A, E>(
  use: (context: {
    readonly recipient: Wallet.Wallet["Type"]["address"]
    readonly messages: Message.Message["Type"]
    readonly transactions: Transactions.Transactions["Type"]
  }) => Effect.Effect<A, E, Wallet.Wallet>,
  sampling?: Layer.Layer<Telemetry.Telemetry, unknown>
) =>
  Effect.gen(function* () {
    const { layer, spans } = recorder()
    const { recipient, sender } = yield* prepared
    const [messages, transactions] = yield* Effect.all([Message.Message, Transactions.Transactions])
    const traced = use({ recipient, messages, transactions }).pipe(
      Effect.provideService(Wallet.Wallet, sender),
      Effect.provide(layer)
    )
    const result = yield* sampling === undefined ? traced : Effect.provide(traced, sampling)
    return { result, spans }
  }).pipe(Effect.provide(Pod.layerEmbedded))

const read = (sampler: string, argument = "") =>
  Effect.withConfigProvider(
    Telemetry.ratio,
    ConfigProvider.fromMap(
      new Map([
        ["OTEL_TRACES_SAMPLER", sampler],
        ["OTEL_TRACES_SAMPLER_ARG", argument]
      ])
    )
  )

describe("spans", () => {
  it.live("Given a tracer, When a message is sent, Then its confirmation and its look-ups are in its trace", () =>
    Effect.gen(function* () {
      const { result, spans } = yield* run(({ messages, recipient }) => messages.send({ recipient, payload: "hello" }))
      const tree = spans.map(({ name, parent }) => `${parent ?? "-"} > ${name}`)
      for (const edge of [
        "- > Message.send",
        "Message.send > Transactions.send",
        "Transactions.send > Transactions.confirm",
        "Transactions.confirm > sendTransaction",
        "Transactions.confirm > getSignatureStatuses"
      ]) {
        expect(tree).toContain(edge)
      }
      expect(tree.filter((edge) => edge.startsWith("- "))).toEqual(["- > Message.send"])
      // A store in memory takes less time than a span
      expect(tree.filter((edge) => edge.includes("PayloadStore"))).toEqual([])
      const send = spans.find(({ name }) => name === "Message.send")
      expect(Object.fromEntries(send?.attributes ?? [])).toEqual({
        "pod.agent": expect.any(String),
        "pod.recipient": expect.any(String),
        "pod.message.type": "Text",
        "pod.message": result.address,
        "pod.payload.hash": Buffer.from(result.payloadHash).toString("hex")
      })
      expect(spans.map(({ ends }) => ends)).toEqual(spans.map(() => 1))
      const confirm = spans.find(({ name }) => name === "Transactions.confirm")
      expect(Object.fromEntries(confirm?.attributes ?? [])).toEqual({
        "solana.signature": result.signature,
        "solana.commitment": "confirmed",
        "solana.attempts": 1,
        "solana.rebroadcasts": 0,
        "solana.slot": Number(result.slot)
      })
    })
  )

  it.live("Given many messages in one call, When they are packed, Then each transaction names its messages", () =>
    Effect.gen(function* () {
      const { result, spans } = yield* run(({ messages, recipient }) =>
        messages.sendAll(Array.from({ length: 40 }, (_, index) => ({ recipient, payload: `message ${index}` })))
      )
      const sends = spans.filter(({ name }) => name === "Transactions.send")
      expect(sends.length).toBeGreaterThan(1)
      expect(new Set(sends.map(({ parent }) => parent))).toEqual(new Set(["Transactions.sendPacked"]))
      const created = sends.flatMap(({ attributes }) => attributes.get("solana.creates"))
      expect(created).toHaveLength(result.length)
      expect(new Set(sends.map(({ attributes }) => attributes.get("solana.signature"))).size).toBe(sends.length)

      // Then each transaction links to the spans of its messages, and each message's to its transaction's
      const messages = spans.filter(({ name }) => name === "Message.send")
      expect(messages.map(({ attributes }) => attributes.get("pod.message"))).toEqual(
        result.map((outcome) => Either.getOrThrow(outcome).address)
      )
      for (const send of sends) {
        const carried = messages.filter(({ linkIds }) => linkIds.includes(send.id))
        expect(carried.map(({ attributes }) => attributes.get("pod.message"))).toEqual(
          send.attributes.get("solana.creates")
        )
        expect(send.linkIds).toEqual(carried.map(({ id }) => id))
      }
      expect(messages.map(({ ends, links, parent }) => [parent, links, ends])).toEqual(
        messages.map(() => ["Message.sendAll", ["Transactions.send"], 1])
      )

      const polls = spans.filter(({ name }) => name === "getSignatureStatuses")
      expect(polls.length).toBeGreaterThan(0)
      for (const { attributes, links, parent } of polls) {
        expect(parent).toBe("Transactions.confirm")
        const calls = Number(attributes.get("pod.calls"))
        expect(links).toEqual(Array.from({ length: Math.min(calls, 16) - 1 }, () => "Transactions.confirm"))
      }
    })
  )

  it.live(
    "Given a message that cannot be sent and one that is named twice, When both are packed, Then their spans say so",
    () =>
      Effect.gen(function* () {
        const id = "0123456789abcdef0123456789abcdef"
        const { spans } = yield* run(({ messages, recipient }) =>
          messages.sendAll([
            { recipient, payload: "twice", id, createdAt: 1n },
            { recipient, payload: "x".repeat(100_000_000) },
            { recipient, payload: "twice", id, createdAt: 1n }
          ])
        )
        const messages = spans.filter(({ name }) => name === "Message.send")
        expect(
          messages.map(({ attributes, ends, links }) => [attributes.get("error.type"), links.length, ends])
        ).toEqual([
          [undefined, 1, 1],
          ["TooLarge", 0, 1],
          [undefined, 1, 1]
        ])
        const [send] = spans.filter(({ name }) => name === "Transactions.send")
        expect(send?.links).toEqual(["Message.send", "Message.send"])
      })
  )

  it.live("Given messages on their way, When the call is interrupted, Then each span has ended before its caller", () =>
    Effect.gen(function* () {
      const { spans } = yield* run(({ messages, recipient }) =>
        Effect.gen(function* () {
          const sendAll = messages.sendAll(["a", "b"].map((payload) => ({ recipient, payload })))
          const both = Effect.all([sendAll, messages.send({ recipient, payload: "c" })], { concurrency: 2 })
          const fiber = yield* Effect.fork(both)
          yield* Effect.repeatN(Effect.yieldNow(), 5)
          yield* Fiber.interrupt(fiber)
        })
      )
      const interrupted = spans.filter(({ attributes }) => attributes.get("error.type") === "Interrupted")
      expect(interrupted.filter(({ name }) => name === "Message.send")).toHaveLength(3)
      expect(spans.map(({ ends, name }) => [name, ends])).toEqual(spans.map(({ name }) => [name, 1]))
    })
  )

  it.live(
    "Given a tracer that is disabled, or a parent that propagates nothing, When a call is made, Then no span shows it",
    () =>
      Effect.gen(function* () {
        const disabled = yield* run(({ messages, recipient }) =>
          Effect.withTracerEnabled(messages.send({ recipient, payload: "hello" }), false)
        )
        expect(disabled.spans).toEqual([])

        const hidden = Context.make(Tracer.DisablePropagation, true)
        const { spans } = yield* run(({ messages, recipient }) =>
          messages
            .send({ recipient, payload: "hello" })
            .pipe(
              Effect.withSpan("hidden", { context: hidden }),
              Effect.withSpan("outer"),
              Effect.annotateSpans("tenant", "a")
            )
        )
        const send = spans.find(({ name }) => name === "Message.send")
        expect(send?.parent).toBe("outer")
        // Look-ups are made by another fiber, for all who wait
        const own = spans.filter(({ name }) => name !== "getSignatureStatuses")
        expect(own.filter(({ attributes }) => attributes.get("tenant") !== "a")).toEqual([])
      })
  )

  it.live("Given calls that fail, When they are traced, Then error.type has the reason or the class", () =>
    Effect.gen(function* () {
      const { spans } = yield* run(({ messages, recipient, transactions }) =>
        Effect.all([
          Effect.exit(messages.send({ recipient, payload: "x".repeat(100_000_000) })),
          Effect.exit(transactions.send([], {}))
        ])
      )
      const types = new Map(spans.map(({ attributes, name }) => [name, attributes.get("error.type")]))
      expect(types.get("Message.send")).toBe("TooLarge")
      expect(types.get("Transactions.send")).toBe("InvalidInput")
    })
  )

  it.live("Given traces that are not sampled, When calls are made, Then no span is made and none of a poll", () =>
    Effect.gen(function* () {
      const none = yield* run(
        ({ messages, recipient }) => messages.send({ recipient, payload: "hello" }),
        Telemetry.layer({ ratio: 0 })
      )
      expect(none.spans).toEqual([])

      const always = yield* run(
        ({ messages, recipient }) => messages.send({ recipient, payload: "hello" }),
        Telemetry.layer({ ratio: 0, always: (name) => name === "Message.send" })
      )
      expect(always.spans.map(({ name }) => name)).toContain("Transactions.confirm")

      const parent = Tracer.externalSpan({ traceId: "a".repeat(32), spanId: "b".repeat(16), sampled: false })
      const within = yield* run(({ messages, recipient }) =>
        Effect.withParentSpan(messages.send({ recipient, payload: "hello" }), parent)
      )
      expect(within.spans).toEqual([])
    })
  )

  it.live("Given a ratio, When a thousand traces begin, Then about that share is made", () =>
    Effect.gen(function* () {
      const { samples } = yield* Telemetry.make({ ratio: 0.1, always: (name) => JSON.parse(name) })
      const sampled = Array.from({ length: 1000 }, () => samples("not JSON")).filter(Boolean).length
      expect(sampled).toBeGreaterThan(50)
      expect(sampled).toBeLessThan(170)
      for (const ratio of [-0.1, 1.1, Number.NaN]) {
        expect(String(yield* Effect.flip(Telemetry.make({ ratio })))).toContain("ratio: must be a number from 0 to 1")
      }
    })
  )

  it.effect(
    "Given OpenTelemetry's variables, When they are read, Then they name the ratio, or the error the variable",
    () =>
      Effect.gen(function* () {
        expect(yield* Effect.withConfigProvider(Telemetry.ratio, ConfigProvider.fromMap(new Map()))).toBe(1)
        expect(yield* read("")).toBe(1)
        expect(yield* read("always_off")).toBe(0)
        expect(yield* read("parentbased_always_on")).toBe(1)
        expect(yield* read("parentbased_traceidratio", "0.25")).toBe(0.25)
        expect(String(yield* Effect.flip(read("sometimes")))).toContain("OTEL_TRACES_SAMPLER")
        for (const argument of ["2", "-1", "half"]) {
          expect(String(yield* Effect.flip(read("traceidratio", argument)))).toContain("OTEL_TRACES_SAMPLER_ARG")
        }
      })
  )
})
