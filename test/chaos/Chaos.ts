import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type { EmbeddedCluster } from "../../layers/EmbeddedCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Metrics from "../../services/Metrics.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Audit from "./Audit.js"
import * as Client from "./Client.js"
import type { Faults } from "./Faults.js"
import * as Followers from "./Followers.js"
import * as Network from "./Network.js"
import * as Workload from "./Workload.js"

export interface Options {
  readonly messages: number
  readonly faults: Faults
  readonly seed: number
  readonly endpoints: number
  /** Whether each agent follows its inbox during the run. */
  readonly follow: boolean
  /** Text that is added to the URLs of the endpoints. Default: empty. */
  readonly query?: string
  /** The source of the agents' wallets. Default: they are generated. */
  readonly wallets?: Layer.Layer<TestWallets.TestWallets, never, EmbeddedCluster>
}

/** The result of a run. */
export interface Report {
  readonly messages: number
  readonly landedOnce: number
  /** Messages that are on the chain twice. */
  readonly landedTwice: number
  /** Messages reported as landed that are not on the chain. */
  readonly lost: number
  /** Messages reported as failed that are not on the chain. */
  readonly failedTruly: number
  /** Messages reported as failed that are on the chain. */
  readonly failedFalsely: number
  /** Retried calls. */
  readonly retries: number
  /** Transactions that were sent again. */
  readonly rebroadcasts: number
  readonly millis: number
  readonly seed: number
}

/** A report with its data. */
export interface Outcome {
  readonly report: Report
  readonly sent: ReadonlyArray<Workload.Sent & { readonly verdict: Audit.Verdict }>
  /** The results of the followers of inboxes. */
  readonly followed: Followers.Seen
}

/** Whether the run broke a guarantee. */
export const isBroken = ({ followed: { ended, missed, repeated }, report }: Outcome): boolean =>
  report.landedTwice + report.lost + report.failedFalsely + ended.length + missed.length + repeated.length > 0

const AGENTS = 8

const counters = Effect.map(
  Effect.all({ retries: Metric.value(Metrics.rpcRetries), rebroadcasts: Metric.value(Metrics.rebroadcasts) }),
  ({ rebroadcasts, retries }) => ({ retries: retries.count, rebroadcasts: rebroadcasts.count })
)

/** The cluster without the faulty network. */
const truthful = (options: Options) =>
  Layer.merge(options.wallets ?? TestWallets.layer, Pod.layerServices({ pollInterval: Network.SLOT_MILLIS })).pipe(
    Layer.provideMerge(Layer.merge(RpcPoolEmbedded.layer, PayloadStore.layerMemory)),
    Layer.provideMerge(Network.cluster(options.faults, options.messages)),
    Layer.orDie
  )

/** Sends messages over a network with these faults, and compares the senders' results with the chain. */
export const run = (options: Options): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const { endpoints, faults, follow, messages, query = "", seed } = options
    const wallets = yield* Workload.agents(AGENTS, messages)
    const proxies = yield* Network.endpoints({ faults, seed, count: endpoints })
    const nodes = proxies.map(({ url, wsUrl }) => ({ url: url + query, wsUrl: wsUrl + query }))
    const client = yield* Layer.build(Client.layer(nodes, 1 + (seed % 2)))
    const seen = yield* Effect.provide(Followers.follow(follow ? wallets : []), client)

    const before = yield* counters
    const start = yield* Clock.currentTimeMillis
    const sent = yield* Effect.provide(Workload.run(wallets, messages), client)
    const millis = (yield* Clock.currentTimeMillis) - start
    const after = yield* counters

    yield* Network.settled(faults)
    const truth = yield* Audit.truth
    const judged = sent.map((one) => ({ ...one, verdict: Audit.verdict(truth, one) }))
    const count = (verdict: Audit.Verdict) => Arr.countBy(judged, (one) => one.verdict === verdict)
    return {
      sent: judged,
      followed: yield* seen(follow ? Array.from(truth.values()).flat() : []),
      report: {
        messages,
        landedOnce: count("landedOnce"),
        landedTwice: count("landedTwice"),
        lost: count("lost"),
        failedTruly: count("failedTruly"),
        failedFalsely: count("failedFalsely"),
        retries: after.retries - before.retries,
        rebroadcasts: after.rebroadcasts - before.rebroadcasts,
        millis,
        seed
      }
    }
  }).pipe(Effect.scoped, Effect.provide(truthful(options)))
