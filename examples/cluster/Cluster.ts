/**
 * Agents on several processes, of which some are killed: each send must be on the chain once, and no agent on two runners.
 *
 * The chain is an embedded cluster in this process, which runners reach as any RPC node. Over Postgres, this process is the
 * client too. Without Postgres, one runner over SQLite sends for itself, and is started again when it was killed.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import type { Sharding } from "@effect/cluster/Sharding"
import { PgClient } from "@effect/sql-pg"
import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
import * as EmbeddedCluster from "@pod-protocol/effect/layers/EmbeddedCluster"
import * as EmbeddedServer from "@pod-protocol/effect/layers/EmbeddedServer"
import * as Pod from "@pod-protocol/effect/layers/Pod"
import * as Account from "@pod-protocol/effect/protocol/Account"
import * as Envelope from "@pod-protocol/effect/protocol/Envelope"
import * as MessageId from "@pod-protocol/effect/protocol/MessageId"
import { PROGRAM_ID } from "@pod-protocol/effect/protocol/Program"
import * as Agent from "@pod-protocol/effect/services/Agent"
import * as ProgramAccount from "@pod-protocol/effect/services/ProgramAccount"
import * as RpcPool from "@pod-protocol/effect/services/RpcPool"
import * as Wallet from "@pod-protocol/effect/services/Wallet"
import * as Hash from "@pod-protocol/effect/solana/Hash"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Child from "./Child.js"
import * as Postgres from "./Postgres.js"
import * as Process from "./Process.js"
import { sendOf, walletsOf } from "./Task.js"

export interface Options {
  readonly runners: number
  readonly agents: number
  readonly sends: number
  /** How many runners are killed on the way. */
  readonly kill: number
  /** Seconds for which a runner is stopped on the way, as a machine that is paused. None with 0. */
  readonly stop: number
  /** Sends in flight. */
  readonly concurrency: number
  /** Over SQLite, even if there is Postgres. */
  readonly sqlite: boolean
  readonly launch: Child.Launch
}

export interface Report {
  readonly database: "postgres" | "sqlite"
  readonly sends: number
  readonly landedOnce: number
  readonly landedTwice: number
  readonly lost: number
  readonly aliveTwice: number
  /** The longest time after a kill until all agents of the killed runner answered. */
  readonly failoverMillis: number
}

const SOL = 1_000_000_000n

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index)

const registered = (wallets: ReadonlyArray<Wallet.Service>) =>
  Effect.gen(function* () {
    const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
    const agents = yield* Agent.Agent
    const rpc = yield* RpcPool.RpcPool
    yield* Effect.forEach(
      wallets,
      (wallet) =>
        Effect.gen(function* () {
          yield* airdrop(wallet.address, 100n * SOL)
          yield* Effect.delay(rpc.getBalance(wallet.address), 100).pipe(
            Effect.repeat({ until: ({ value }) => value > 0n })
          )
          yield* agents
            .register({ metadataUri: "https://example.com/agent.json" })
            .pipe(Effect.provideService(Wallet.Wallet, wallet))
        }),
      { concurrency: 50, discard: true }
    )
  })

/** The hash that a send leaves on the chain. */
const hashOf = (index: number, agents: number) =>
  Effect.gen(function* () {
    const { id, payload } = sendOf(index, agents)
    const header = { createdAt: 0n, id: yield* MessageId.toBytes(id) }
    const bytes = yield* Envelope.encode({ ...header, payload: new TextEncoder().encode(payload) })
    return Encoding.encodeHex(Hash.sha256(bytes))
  })

/** All messages of the program, as the node lists them. */
const readBack = ({ agents, sends }: Options) =>
  Effect.gen(function* () {
    const rpc = yield* RpcPool.RpcPool
    const { value } = yield* rpc.getProgramAccounts(PROGRAM_ID, {
      filters: [{ memcmp: { offset: 0, bytes: Account.discriminator("DirectMessage") } }]
    })
    const messages = yield* ProgramAccount.decodeMany(value, Account.decodeDirectMessage)
    const expected = new Map<string, number>()
    for (const index of indexes(sends)) expected.set(yield* hashOf(index, agents), 0)
    let others = 0
    for (const { account } of messages) {
      const hash = Encoding.encodeHex(account.payloadHash)
      const count = expected.get(hash)
      if (count === undefined) others++
      else expected.set(hash, count + 1)
    }
    const counts = [...expected.values()]
    return {
      landedOnce: counts.filter((count) => count === 1).length,
      landedTwice: counts.filter((count) => count > 1).length + others,
      lost: counts.filter((count) => count === 0).length
    }
  })

interface Chain {
  readonly url: string
  readonly payloads: string
  readonly wallets: ReadonlyArray<Wallet.Service>
}

/** Goes on when so many sends have their receipt. */
const reached = (sent: () => number, count: number) => Effect.repeat(Effect.sleep(20), { until: () => sent() >= count })

const killed = (child: Child.Child) => Effect.zipRight(child.signal("SIGKILL"), child.exited)

/** Waits until each of these agents answers. */
const answered = (own: ReadonlyArray<Wallet.Service["address"]>) =>
  Effect.forEach(own, (address) => AgentCluster.client(address).where(), { concurrency: "unbounded" })

/** Several runners over Postgres, and this process as their client. */
const overPostgres = (
  options: Options,
  chain: Chain,
  database: string
): Effect.Effect<Pick<Report, "aliveTwice" | "failoverMillis">, unknown, Scope.Scope | Sharding> =>
  Effect.gen(function* () {
    const all: Array<Child.Child> = []
    const byPort = new Map<number, Child.Child>()
    const task = { url: chain.url, payloads: chain.payloads, agents: options.agents, database }
    const runner = Effect.gen(function* () {
      const port = yield* Postgres.freePort
      const child = yield* Child.start(options.launch("runner"), { ...task, port })
      all.push(child)
      yield* child.ready
      byPort.set(port, child)
    })
    yield* Effect.forEach(indexes(options.runners), () => runner, { concurrency: "unbounded" })

    let sent = 0
    let failoverMillis = 0
    /** A runner with the agents that it has. */
    const some = Effect.gen(function* () {
      const places = yield* Effect.forEach(
        chain.wallets,
        ({ address }) => Effect.map(AgentCluster.client(address).where(), ({ port }) => ({ address, port })),
        { concurrency: "unbounded" }
      )
      const port = places[0]?.port ?? 0
      const own = places.filter((place) => place.port === port).map(({ address }) => address)
      const child = yield* Effect.fromNullable(byPort.get(port))
      return { port, child, own }
    })
    const killOne = Effect.gen(function* () {
      const { child, own, port } = yield* some
      const before = yield* Clock.currentTimeMillis
      yield* killed(child)
      byPort.delete(port)
      yield* answered(own)
      failoverMillis = Math.max(failoverMillis, (yield* Clock.currentTimeMillis) - before)
      yield* runner
    })
    const stopOne = Effect.gen(function* () {
      const { child, own } = yield* some
      yield* child.signal("SIGSTOP")
      yield* Effect.sleep(Duration.seconds(options.stop))
      yield* child.signal("SIGCONT")
      yield* answered(own)
    })
    const stops =
      options.stop === 0
        ? Effect.void
        : Effect.zipRight(
            reached(() => sent, options.sends / 2),
            stopOne
          )
    const kills = Effect.forEach(indexes(options.kill), (kill) =>
      Effect.zipRight(
        reached(() => sent, Math.floor((options.sends * (kill + 1)) / (options.kill + 2))),
        killOne
      )
    )
    const sends = Effect.forEach(
      indexes(options.sends),
      (index) =>
        Effect.zipRight(
          Process.send(chain.wallets, index),
          Effect.sync(() => sent++)
        ),
      { concurrency: options.concurrency, discard: true }
    )
    yield* Effect.all([sends, kills, stops], { concurrency: "unbounded" })
    yield* Effect.forEach([...byPort.values()], (child) => Effect.zipRight(child.signal("SIGTERM"), child.exited), {
      concurrency: "unbounded"
    })
    return { aliveTwice: Child.aliveTwice(all), failoverMillis }
  })

/** One runner over SQLite, which is killed and started again. */
const overSqlite = (
  options: Options,
  chain: Chain,
  database: string
): Effect.Effect<Pick<Report, "aliveTwice" | "failoverMillis">, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const done = new Set<number>()
    const all: Array<Child.Child> = []
    let failoverMillis = 0
    for (let kills = 0; done.size < options.sends; kills++) {
      const before = yield* Clock.currentTimeMillis
      const known = done.size
      const child = yield* Child.start(
        options.launch("single"),
        {
          url: chain.url,
          payloads: chain.payloads,
          agents: options.agents,
          database,
          sends: indexes(options.sends).filter((index) => !done.has(index))
        },
        (index) => done.add(index)
      )
      all.push(child)
      if (kills > 0) {
        yield* reached(() => done.size, known + 1)
        failoverMillis = Math.max(failoverMillis, (yield* Clock.currentTimeMillis) - before)
      }
      if (kills < options.kill) {
        yield* reached(() => done.size, Math.floor((options.sends * (kills + 1)) / (options.kill + 2)))
        yield* killed(child)
      } else {
        yield* child.exited
      }
    }
    return { aliveTwice: Child.aliveTwice(all), failoverMillis }
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "pod-cluster-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

const onChain = (options: Options) =>
  Effect.gen(function* () {
    const directory = yield* folder
    const wallets = yield* walletsOf(options.agents)
    yield* registered(wallets)
    const { url } = yield* EmbeddedServer.serve()
    const chain = { url, payloads: path.join(directory, "payloads"), wallets }
    const postgres = options.sqlite ? Option.none<string>() : yield* Postgres.url
    const ran = Option.isSome(postgres)
      ? yield* overPostgres(options, chain, postgres.value).pipe(
          Effect.provide(
            AgentCluster.layerClient({ shardsPerGroup: 60 }).pipe(
              Layer.provide(PgClient.layer({ url: Redacted.make(postgres.value) }))
            )
          )
        )
      : yield* overSqlite(options, chain, path.join(directory, "cluster.sqlite"))
    const database = Option.isSome(postgres) ? ("postgres" as const) : ("sqlite" as const)
    const report: Report = { database, sends: options.sends, ...(yield* readBack(options)), ...ran }
    return report
  })

/** Blocks of 200 milliseconds: many sends wait for theirs when a runner is killed. */
const node = Pod.layerEmbeddedWith({ blockMode: "interval", slotDuration: "200 millis" })

export const run = (options: Options) => Effect.scoped(Effect.provide(onChain(options), node))
