/**
 * Runs lies: each against its own client, hundreds concurrently over one cluster on a virtual Clock, and compares the
 * clients' results with the chain.
 *
 * - The liar is the endpoint preferred by weight. With two or three endpoints, the others are honest nodes of the same
 *   chain.
 * - Leaders are slow: a transaction lands up to 20 slots after a node took it, of the 64 that a blockhash lives here.
 *   With `loses`, they never take the first one.
 * - A lie is told whenever its method is called. A pair of a lie and a flow that does not call its method is skipped.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as TestWallets from "../../layers/TestWallets.js"
import type { EndpointsError } from "../../services/EndpointsError.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Resilience from "../../services/Resilience.js"
import * as RpcPool from "../../services/RpcPool.js"
import type { RpcTransport } from "../../services/RpcTransport.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Signature from "../../src/solana/Signature.js"
import * as Dice from "../chaos/Dice.js"
import * as Flows from "./Flows.js"
import * as Liar from "./Liar.js"
import type { Lie } from "./Lies.js"
import * as Node from "./Node.js"
import * as Served from "./Served.js"
import * as Verdict from "./Verdict.js"
import * as VirtualClock from "./VirtualClock.js"

/** One lie in one flow. */
export interface Trial {
  readonly lie: Lie
  readonly flow: Flows.Flow
  readonly endpoints: number
  /** Whether the leaders lose the first transaction. */
  readonly loses: boolean
}

export interface Outcome extends Trial {
  /** Whether the endpoint lied at least once. */
  readonly isToldLies: boolean
  readonly verdict: Verdict.Verdict
  /** The caller's result. */
  readonly told: string
}

/** Concurrent clients. */
const TOGETHER = 400

/** The timeout of a transaction: longer than the life of a blockhash plus finality. */
const TIMEOUT_SLOTS = 125

/** Time after which a client without an answer counts as hung. */
const PATIENCE = "20 minutes"

/** Slots after which every transaction that can land has landed and is finalized. */
const SETTLED = Node.LATEST + 40

const cluster = (slot: number) =>
  EmbeddedCluster.layer({
    blockMode: "interval",
    slotDuration: slot,
    // Less than half of Solana's, so that a transaction expires in half of the time.
    blockhashLifetime: 64,
    // Slots without a block make heights smaller than slots, as on Solana.
    maxBlocks: 500,
    maxTransactions: 100_000,
    maxStatuses: 100_000
  })

const honest = (slot: number) =>
  Layer.mergeAll(TestWallets.layer, Pod.layerServices()).pipe(
    Layer.provideMerge(Layer.merge(RpcPoolEmbedded.layer, PayloadStore.layerMemory)),
    Layer.provideMerge(cluster(slot))
  )

/** The clients' connections to nodes, of which the first lies, and the length of a slot. */
interface Network {
  readonly slot: number
  readonly connect: (
    nodes: ReadonlyArray<RpcTransport>,
    lie: Lie,
    onTold: () => void
  ) => Effect.Effect<Layer.Layer<RpcPool.RpcPool, InvalidInput | EndpointsError>, never, Scope.Scope>
}

/** Without sockets: used for most lies. */
const inProcess: Network = {
  slot: Node.SLOT,
  connect: (nodes, lie, onTold) =>
    Effect.succeed(
      Layer.scoped(
        RpcPool.RpcPool,
        Effect.map(
          Resilience.make(
            nodes.map((node, index) => ({
              transport: { ...(index === 0 ? Liar.make(lie, onTold)(node) : node), host: `node-${index}` },
              weight: index === 0 ? 1000 : 1,
              heartbeat: false
            })),
            { startTimeout: "5 seconds" }
          ),
          (transport) => RpcPool.make(transport)
        )
      )
    )
}

/** Over HTTP, on the real clock, with slots of a sixteenth of Solana's. */
const served: Network = {
  slot: 25,
  connect: (nodes, lie, onTold) =>
    Effect.map(
      Effect.forEach(nodes, (node, index) => Served.make(node, index === 0 ? lie : TRUE, onTold)),
      (urls) =>
        RpcPoolUndici.layer({
          endpoints: urls.map((url, index) => ({ url: Redacted.make(url), weight: index === 0 ? 1000 : 1 }))
        })
    )
}

const TRUE: Lie = { name: "none", about: "nothing", method: "", tell: (truth) => truth }

const noting =
  (methods: Set<string>) =>
  (node: RpcTransport): RpcTransport => ({
    ...node,
    request: (method, params) => {
      methods.add(method)
      return node.request(method, params)
    },
    batch: (calls) => {
      for (const { method } of calls) methods.add(method)
      return node.batch(calls)
    },
    subscribe: (kind, params) => {
      methods.add(`${kind}Notification`)
      return node.subscribe(kind, params)
    }
  })

interface Played extends Trial {
  readonly scene: Flows.Scene
  readonly told: Verdict.Told
  readonly isToldLies: boolean
  readonly methods: ReadonlySet<string>
  readonly signatures: number
}

const play = (network: Network, trial: Trial, scene: Flows.Scene, delay: number) =>
  Effect.gen(function* () {
    const service = yield* EmbeddedCluster.EmbeddedCluster
    const { slot } = network
    const node = yield* Node.make(service, { delay, loses: trial.loses, slot })
    const methods = new Set<string>()
    let lies = 0
    const nodes = Arr.makeBy(trial.endpoints, (index) =>
      index === 0 ? noting(methods)(node.transport) : node.transport
    )
    const pool = yield* network.connect(nodes, trial.lie, () => lies++)
    const services = Pod.layerServices({
      timeout: TIMEOUT_SLOTS * slot,
      pollInterval: 3 * slot,
      rebroadcastInterval: 10 * slot,
      ...trial.flow.options
    })
    const exit = yield* Layer.build(Layer.provideMerge(services, pool)).pipe(
      Effect.flatMap((services) => Effect.provide(scene.act, services)),
      Effect.timeoutOption(PATIENCE),
      Effect.scoped,
      Effect.exit
    )
    const told: Verdict.Told = Exit.match(exit, {
      onSuccess: Option.match({ onNone: () => ({ _tag: "Hung" }), onSome: (value) => ({ _tag: "Success", value }) }),
      onFailure: (cause) =>
        Option.match(Cause.failureOption(cause), {
          onNone: () => ({ _tag: "Died", cause: Cause.pretty(cause) }),
          onSome: (error) => ({ _tag: "Failure", error })
        })
    })
    return { ...trial, scene, told, isToldLies: lies > 0, methods, signatures: node.signatures.size }
  })

/** The landed transaction on the chain. */
const receiptOf = (told: Verdict.Told) =>
  Effect.gen(function* () {
    const value = told._tag === "Success" ? told.value : undefined
    const given = Predicate.hasProperty(value, "signature") ? value.signature : undefined
    const signature = typeof given === "string" ? Signature.parse(given) : Either.left(undefined)
    if (Either.isLeft(signature)) return undefined
    const pool = yield* RpcPool.RpcPool
    const transaction = yield* pool.getTransaction(signature.right, { commitment: "confirmed" })
    return Option.getOrUndefined(
      Option.flatMap(transaction, ({ meta, slot }) =>
        Option.map(meta, ({ fee }) => ({ signature: signature.right, slot, fee }))
      )
    )
  })

const judge = ({ scene, signatures, told, ...trial }: Played) =>
  Effect.gen(function* () {
    const reads = scene.truth
    const facts: Verdict.Facts = {
      wasDone: scene.wasDone === true,
      done: reads === undefined ? yield* scene.done : undefined,
      spent: yield* scene.spent,
      cost: scene.cost + BigInt(Math.max(0, signatures - 1)) * Flows.FEE,
      truth: yield* reads ?? receiptOf(told)
    }
    return {
      ...trial,
      verdict: Verdict.of({ lie: trial.lie, endpoints: trial.endpoints, told, facts }),
      told: `${Verdict.describe(told)} (done ${facts.done}, spent ${facts.spent} of ${facts.cost})`
    }
  })

/** Runs all trials concurrently, over their own cluster. */
const playAll = (network: Network, trials: ReadonlyArray<Trial>, seed: number) =>
  Effect.gen(function* () {
    const service = yield* EmbeddedCluster.EmbeddedCluster
    yield* service.advanceSlots(20_000)
    const scenes = yield* Effect.forEach(trials, ({ flow }) => flow.prepare, { concurrency: "unbounded" })
    yield* Effect.sleep(SETTLED * network.slot)
    const played = yield* Effect.forEach(
      Arr.zip(trials, scenes),
      ([trial, scene], index) => play(network, trial, scene, 1 + Math.floor(Dice.at(seed, index).roll() * Node.LATEST)),
      { concurrency: "unbounded" }
    )
    yield* Effect.sleep(SETTLED * network.slot)
    return yield* Effect.forEach(played, judge)
  }).pipe(Effect.scoped, Effect.provide(honest(network.slot)), Effect.orDie)

/** The methods that a flow calls at an honest endpoint, with and without the loss of its first transaction. */
const honestTrials: ReadonlyArray<Trial> = Flows.all.flatMap((flow) =>
  [1, 2].flatMap((endpoints) =>
    (flow.writes ? [false, true] : [false]).map((loses) => ({ lie: TRUE, flow, endpoints, loses }))
  )
)

export interface Options {
  readonly lies: ReadonlyArray<Lie>
  readonly endpoints: ReadonlyArray<number>
  readonly seed: number
  /** Number of flows for each lie and each number of endpoints, among those that call its method. */
  readonly flows: number
}

/** Some of the flows that call a lie's method, selected by the dice. */
const some = <A>(all: ReadonlyArray<A>, count: number, { roll }: Dice.Dice): ReadonlyArray<A> =>
  all
    .map((one) => ({ one, at: roll() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ one }) => one)

/** Runs lies and returns the outcomes. */
export const run = ({ endpoints, flows, lies, seed }: Options): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.gen(function* () {
    const asked = yield* VirtualClock.run(playAll(inProcess, honestTrials, seed))
    const trials = lies.flatMap((lie, index) => {
      const asking = asked.filter(({ endpoints, methods }) => endpoints === 2 && methods.has(lie.method))
      return endpoints.flatMap((endpoints) =>
        some(asking, flows, Dice.at(seed, index, endpoints)).map(({ flow, loses }): Trial => ({
          lie,
          flow,
          endpoints,
          loses
        }))
      )
    })
    const outcomes = yield* Effect.forEach(Arr.chunksOf(trials, TOGETHER), (together) =>
      VirtualClock.run(playAll(inProcess, together, seed))
    )
    return [...asked, ...outcomes.flat().filter(({ isToldLies }) => isToldLies)]
  })

/** Runs lies about transfers over HTTP and returns the outcomes. */
export const runServed = (lies: ReadonlyArray<Lie>, seed: number): Effect.Effect<ReadonlyArray<Outcome>> => {
  const flow = Flows.all.find(({ name }) => name === "transfer")
  return flow === undefined
    ? Effect.succeed([])
    : playAll(
        served,
        [1, 2].flatMap((endpoints) => lies.map((lie): Trial => ({ lie, flow, endpoints, loses: false }))),
        seed
      )
}

/** The outcome as text. */
export const describe = ({ endpoints, flow, lie, loses, told, verdict }: Outcome): string =>
  `${verdict.padEnd(16)} ${lie.name} | ${flow.name}${loses ? ", lost" : ""} | ${endpoints} | ${told.slice(0, 400)}`
