/** Runs several runners over Postgres, and kills, ends and stops some. This process sends as their client. */
import * as EntityId from "@effect/cluster/EntityId"
import * as ClusterSharding from "@effect/cluster/Sharding"
import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
import type * as Wallet from "@pod-protocol/effect/services/Wallet"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Child from "./Child.js"
import type { Chain, Observed, Options } from "./Options.js"
import * as Postgres from "./Postgres.js"
import * as Process from "./Process.js"

/** The singleton of `@effect/cluster` that checks the health of all runners. */
const HEALTH_CHECK = "effect/cluster/Sharding/RunnerHealth"

type Addresses = ReadonlyArray<Wallet.Service["address"]>

const where = (address: Wallet.Service["address"]) => AgentCluster.client(address).where({ timeout: "10 minutes" })

/** Waits until each of these agents answers. */
const answered = (own: Addresses) => Effect.forEach(own, where, { concurrency: "unbounded" })

/** Waits until each of these agents answers from another runner than the one at this port. */
const moved = (own: Addresses, from: number) =>
  Effect.forEach(
    own,
    (address) => Effect.repeat(Effect.delay(where(address), 20), { until: ({ port }) => port !== from }),
    { concurrency: "unbounded" }
  )

export const run = (
  options: Options,
  chain: Chain,
  database: Postgres.Database
): Effect.Effect<Observed, unknown, Scope.Scope | ClusterSharding.Sharding> =>
  Effect.gen(function* () {
    const all: Array<Child.Child> = []
    const byPort = new Map<number, Child.Child>()
    const task = { url: chain.url, payloads: chain.payloads, agents: options.agents, database: database.url }
    const start = Effect.gen(function* () {
      const port = yield* Postgres.freePort
      const child = yield* Child.start(options.launch("runner"), { ...task, port })
      all.push(child)
      yield* child.ready
      byPort.set(port, child)
    })
    yield* Effect.forEach(Array.from({ length: options.runners }), () => start, { concurrency: "unbounded" })

    let sent = 0
    let failedAsks = 0
    const sharding = yield* ClusterSharding.Sharding
    const checkedFrom = sharding.getShardId(EntityId.make(HEALTH_CHECK), "default")
    /** The runner that checks the health of all others, with all agents on it. Its end is the hardest to notice. */
    const some = Effect.gen(function* () {
      const places = yield* Effect.forEach(
        chain.wallets,
        ({ address }) => Effect.map(where(address), ({ port }) => ({ address, port })),
        { concurrency: "unbounded" }
      )
      const checker = places.find(({ address }) =>
        Equal.equals(sharding.getShardId(EntityId.make(address), "default"), checkedFrom)
      )
      const port = (checker ?? places[0])?.port ?? 0
      const own = places.filter((place) => place.port === port).map(({ address }) => address)
      const child = yield* Effect.fromNullable(byPort.get(port))
      return { port, child, own }
    })
    /** Removes a runner and returns the time until its agents answered again. */
    const takeAway = (signal: "SIGKILL" | "SIGTERM") =>
      Effect.gen(function* () {
        const { child, own, port } = yield* some
        const before = yield* Clock.currentTimeMillis
        yield* child.signal(signal)
        if (signal === "SIGKILL") yield* child.exited
        byPort.delete(port)
        yield* moved(own, port)
        const millis = (yield* Clock.currentTimeMillis) - before
        yield* Effect.zipRight(child.exited, start)
        return millis
      })
    const stopOne = Effect.gen(function* () {
      const { child, own } = yield* some
      yield* child.signal("SIGSTOP")
      yield* Effect.sleep(Duration.seconds(options.stop))
      yield* child.signal("SIGCONT")
      yield* answered(own)
    })
    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)
    /** Repeats a disturbance, spread over the sends. The next one waits until its end, because it may be of the same runner. */
    const onTheWay = <A, E, R>(times: number, disturb: Effect.Effect<A, E, R>) =>
      Effect.forEach(Array.from({ length: times }), (_, index) => {
        const isReached = Effect.sync(() => sent >= Math.floor((options.sends * (index + 1)) / (times + 2)))
        return Effect.zipRight(
          Effect.repeat(Effect.delay(isReached, 20), { until: (isReached) => isReached }),
          oneAtATime(disturb)
        )
      })
    const sends = Effect.forEach(
      Array.from({ length: options.sends }),
      (_, index) =>
        Effect.map(
          Process.send(chain.wallets, index, () => failedAsks++),
          () => sent++
        ),
      { concurrency: options.concurrency, discard: true }
    )
    const { ends, kills } = yield* Effect.all(
      {
        sends,
        kills: onTheWay(options.kill, takeAway("SIGKILL")),
        ends: onTheWay(options.end, takeAway("SIGTERM")),
        stops: onTheWay(options.stop === 0 ? 0 : 1, stopOne),
        restarts: onTheWay(
          options.restart,
          Option.getOrElse(database.restart, () => Effect.void)
        )
      },
      { concurrency: "unbounded" }
    )
    yield* Effect.forEach([...byPort.values()], (child) => Effect.zipRight(child.signal("SIGTERM"), child.exited), {
      concurrency: "unbounded"
    })
    return {
      aliveTwice: Child.aliveTwice(all),
      failoverMillis: Math.max(0, ...kills),
      handOverMillis: Math.max(0, ...ends),
      failedAsks
    }
  })
