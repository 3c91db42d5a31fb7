import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Pod from "../../../layers/Pod.js"
import * as Analytics from "../../../services/Analytics.js"
import * as Channel from "../../../services/Channel.js"
import * as Discovery from "../../../services/Discovery.js"
import * as Escrow from "../../../services/Escrow.js"
import * as Message from "../../../services/Message.js"
import * as ProtocolEvents from "../../../services/ProtocolEvents.js"
import * as RpcPool from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import { as, registered } from "../../support/agents.js"
import * as Eventful from "../../support/eventful.js"
import { eventually } from "../../support/eventually.js"
import * as Story from "../../support/story.js"

const analytics = (options?: Analytics.Options) =>
  Analytics.layer(options).pipe(
    Layer.provideMerge(Discovery.layer()),
    Layer.provideMerge(ProtocolEvents.layer({ pollInterval: "30 millis" }))
  )

const counts: Discovery.Counts = {
  agents: 0,
  channels: { total: 0, active: 0, public: 0, private: 0 },
  memberships: 0,
  escrows: { total: 0, lamports: 0n },
  messages: { direct: 0, broadcast: 0, byStatus: { Pending: 0, Delivered: 0, Read: 0, Failed: 0 } }
}

const emptyDiscovery = Discovery.layerTest({
  counts: Effect.succeed(counts),
  asOf: Effect.succeed(0n),
  busiest: () => Effect.succeed([])
})

/** The field that is refused. */
const field = <A, R>(effect: Effect.Effect<A, { readonly field: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ field }) => field)

const decodeJson = Schema.decodeUnknown(
  Schema.parseJson(
    Schema.Struct({
      overview: Schema.Struct({ accounts: Schema.Struct({ agents: Schema.Number }) }),
      series: Schema.Array(Schema.Struct({ from: Schema.BigInt, deposited: Schema.BigInt })),
      senders: Schema.Array(Schema.Struct({ address: Schema.String, messages: Schema.Number })),
      network: Schema.Struct({ slot: Schema.BigInt })
    })
  )
)

describe("Analytics", () => {
  it.live(
    "Given what happened before and after the layer is built, When the numbers are read, Then they are those of the chain",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const channels = yield* Channel.Channel
        const escrows = yield* Escrow.Escrow
        const { agent: ada, wallet: adas } = yield* registered
        const { wallet: bos } = yield* registered
        const letter = yield* messages.send({ recipient: bos.address, payload: "one" }).pipe(as(adas))
        const channel = yield* channels.create({ name: "paid", feePerMessage: 1_000_000n }).pipe(as(adas))
        yield* escrows.deposit(channel.address, 5_000_000n).pipe(as(bos))
        yield* Effect.gen(function* () {
          const { caughtUp, network, overview, report, series, top } = yield* Analytics.Analytics
          yield* caughtUp
          const before = yield* overview
          assert.deepInclude(before.activity, { agents: 2, messages: 1, channels: 1, deposited: 5_000_000n })
          assert.deepStrictEqual(before.accounts.escrows, { total: 1, lamports: 5_000_000n })

          // What happens later comes by the events.
          yield* channels.join(channel.address).pipe(as(bos))
          yield* messages.markDelivered(letter.address).pipe(as(bos))
          yield* messages.markRead(letter.address).pipe(as(bos))
          yield* messages.send({ recipient: bos.address, payload: "two" }).pipe(as(adas))
          yield* channels.broadcast(channel.address, { content: "hello" }).pipe(as(adas))
          yield* escrows.withdraw(channel.address, 1_500_000n).pipe(as(bos))
          yield* channels.leave(channel.address).pipe(as(bos))
          const after = yield* eventually(
            overview,
            ({ accounts, activity }) => activity.left === 1 && accounts.memberships === 1
          )
          assert.deepInclude(after.activity, {
            agents: 2,
            messages: 2,
            channels: 1,
            broadcasts: 1,
            joined: 1,
            left: 1,
            deposited: 5_000_000n,
            withdrawn: 1_500_000n
          })
          // The fee is neither held nor withdrawn.
          assert.deepStrictEqual(after.accounts.escrows, { total: 1, lamports: 2_500_000n })
          assert.deepStrictEqual(after.accounts.messages.byStatus, { Pending: 1, Delivered: 0, Read: 1, Failed: 0 })
          assert.deepStrictEqual(after.lost, [])

          const spans = yield* series()
          assert.isAtMost(spans.length, 24)
          assert.strictEqual(
            spans.reduce((sum, { deposited }) => sum + deposited, 0n),
            5_000_000n
          )
          assert.strictEqual(
            spans.reduce((sum, { messages }) => sum + messages, 0),
            2
          )
          assert.deepStrictEqual(yield* top("sender"), [{ address: ada, messages: 3 }])
          assert.deepStrictEqual(yield* top("channel", 1), [{ address: channel.address, messages: 1 }])
          const { epochProgress, isHealthy, slot } = yield* network
          assert.isAtLeast(Number(slot), Number(after.accounts.asOf))
          assert.isTrue(isHealthy && epochProgress >= 0 && epochProgress <= 1)

          const text = yield* report("text")
          assert.match(text, /^Direct messages +2 +1 pending, 0 delivered, 1 read, 0 failed$/m)
          assert.match(text, /^Escrows +1 +hold 0\.0025 SOL$/m)
          assert.match(text, /^All +2 +2 +1 +1 +1 +1 +0\.005 SOL +0\.0015 SOL$/m)
          const json = yield* decodeJson(yield* report("json"))
          assert.strictEqual(json.overview.accounts.agents, 2)
          assert.deepStrictEqual(json.senders, [{ address: ada, messages: 3 }])
          assert.strictEqual(JSON.parse(JSON.stringify(after)).accounts.escrows.lamports, "2500000")
        }).pipe(Effect.provide(analytics()))
      }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )

  it.live(
    "Given events that fail and stop in the middle, When the service follows them again, Then each event counts once",
    () =>
      Effect.gen(function* () {
        const signatures = yield* Story.play
        const events = yield* Eventful.eventsOf(yield* Eventful.history(PROGRAM_ID))
        assert.isAbove(signatures.length, 10)
        const { batches, stream } = yield* Effect.provide(
          ProtocolEvents.ProtocolEvents,
          ProtocolEvents.layerTest(events)
        )
        const count = (...tags: ReadonlyArray<string>) => events.filter(({ _tag }) => tags.includes(_tag)).length
        let calls = 0
        const failing = Layer.succeed(ProtocolEvents.ProtocolEvents, {
          stream,
          batches: (options) => {
            if (++calls > 3) return batches(options)
            const error = new RpcError({ reason: "Timeout", method: "getTransaction", detail: "no answer" })
            return Stream.concat(Stream.take(batches(options), 4), Stream.fail(error))
          }
        })
        const pool = RpcPool.layerTest({})
        yield* Effect.gen(function* () {
          const { caughtUp, overview } = yield* Analytics.Analytics
          yield* caughtUp
          const { activity } = yield* overview
          assert.deepInclude(activity, {
            agents: count("AgentRegistered"),
            messages: count("MessageSent"),
            channels: count("ChannelCreated"),
            broadcasts: count("MessageBroadcast", "CompressedBroadcast"),
            joined: count("ChannelJoined", "CompressedJoined"),
            left: count("ChannelLeft")
          })
          assert.strictEqual(calls, 4)
        }).pipe(Effect.provide(Layer.provide(Analytics.layer(), [emptyDiscovery, failing, pool])))
      }).pipe(
        Effect.provide(Eventful.layer()),
        Effect.scoped,
        // The failures are logged.
        Logger.withMinimumLogLevel(LogLevel.None)
      )
  )

  it.effect("Given no endpoint that answers, When a report is made, Then it says so and has the other numbers", () =>
    Effect.gen(function* () {
      const { report } = yield* Analytics.Analytics
      const text = yield* report("text")
      assert.match(text, /^Agents +0$/m)
      assert.match(text, /^No endpoint describes the cluster: getEpochInfo: no answer[^\p{Cc}]*at all[^\p{Cc}]*$/mu)
    }).pipe(
      Effect.provide(
        Layer.provide(Analytics.layer(), [
          emptyDiscovery,
          ProtocolEvents.layerTest([]),
          RpcPool.layerTest({
            getEpochInfo: () =>
              new RpcError({ reason: "Timeout", method: "getEpochInfo", detail: "no answer\u001B[2Jat all" }),
            getVersion: Effect.never,
            getHealth: Effect.never,
            getRecentPerformanceSamples: () => Effect.never,
            getRecentPrioritizationFees: () => Effect.never
          })
        ])
      )
    )
  )

  it.live("Given input out of its range, When it is used, Then the error names the field", () =>
    Effect.gen(function* () {
      const { series, top } = yield* Analytics.Analytics
      assert.deepStrictEqual(
        yield* Effect.all([
          field(series({ limit: 0 })),
          field(series({ limit: 10_001 })),
          field(series({ limit: Number.NaN })),
          field(series({ until: -1n })),
          field(series({ until: 2n ** 63n })),
          field(series({ bucket: "90 minutes" })),
          field(series({ bucket: 0 })),
          field(series({ bucket: Number.POSITIVE_INFINITY })),
          field(top("sender", 0)),
          // @ts-expect-error a caller without types
          field(top("agent"))
        ]),
        ["limit", "limit", "limit", "until", "until", "bucket", "bucket", "bucket", "limit", "by"]
      )
      const options: ReadonlyArray<Analytics.Options> = [
        { resolution: "1 second" },
        { resolution: "2 days" },
        { resolution: 60_500 },
        { maxBuckets: 0 },
        // @ts-expect-error a caller without types
        { from: "later" },
        // @ts-expect-error a caller without types
        { commitment: "processed" }
      ]
      const refused = yield* Effect.forEach(options, (options) => field(Effect.scoped(Analytics.make(options))))
      assert.deepStrictEqual(refused, ["resolution", "resolution", "resolution", "maxBuckets", "from", "commitment"])
    }).pipe(Effect.provide(analytics()), Effect.provide(Pod.layerTest))
  )
})
