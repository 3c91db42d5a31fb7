import { randomBytes } from "node:crypto"
import { connect } from "node:net"
import { PgClient } from "@effect/sql-pg"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Postgres from "../../examples/cluster/Postgres.js"
import * as AgentCluster from "../../layers/AgentCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as Message from "../../services/Message.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import type { Service as WalletService } from "../../services/Wallet.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import { registered } from "../support/agents.js"

/** A database and its runners take some seconds of CPU: this test runs where it is asked for. */
const isAsked = process.env["CLUSTER_TEST"] === "1"

const found = (skip: (note: string) => never) =>
  isAsked
    ? Effect.map(
        Postgres.database,
        Option.getOrElse(() => skip("there is no postgres on the PATH and no DATABASE_URL"))
      )
    : Effect.sync(() => skip("CLUSTER_TEST=1 runs it"))

/** Settings with which a test does not wait. */
const sharding = { shardsPerGroup: 20, entityTerminationTimeout: "1 second", refreshAssignmentsInterval: 200 } as const

const clientOf = ({ url }: Postgres.Database) => Layer.fresh(PgClient.layer({ url: Redacted.make(url) }))

const address = Effect.map(Postgres.freePort, (port) => ({ host: "127.0.0.1", port }))

const wallets = new Map<string, WalletService>()

const walletOf: AgentCluster.Options["wallet"] = (agent) => {
  const wallet = wallets.get(agent)
  return wallet === undefined
    ? Effect.fail(new InvalidInput({ field: "agent", rule: "is a stranger" }))
    : Effect.succeed(wallet)
}

const agent = Effect.tap(registered, ({ wallet }) => Effect.sync(() => wallets.set(wallet.address, wallet)))

/** Bytes that no runner sends: noise, lengths that lie, and a message of the right form with nothing in it. */
const HOSTILE = [
  randomBytes(65_536),
  Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff),
  new Uint8Array(65_536).fill(0x91),
  Uint8Array.of(0x80),
  Uint8Array.of(0x81, 0xa4, 0x5f, 0x74, 0x61, 0x67, 0xa7, 0x52, 0x65, 0x71, 0x75, 0x65, 0x73, 0x74)
]

/** Sends bytes to a port, and lets go of the socket. */
const throwAt = (port: number, bytes: Uint8Array) =>
  Effect.async<void>((resume) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes)
      setTimeout(() => socket.destroy(), 50)
    })
    socket.on("error", () => socket.destroy())
    socket.on("close", () => resume(Effect.void))
  })

layer(Pod.layerTest, { excludeTestServices: true })("AgentCluster over Postgres", (it) => {
  it.scoped("Given a runner, When others join with other shards or locks, Then they are refused by name", ({ skip }) =>
    Effect.gen(function* () {
      const database = yield* found(skip)
      const own = yield* address
      const refused = (options: AgentCluster.ShardingOptions) =>
        Effect.forEach(
          [
            AgentCluster.layerRunner({ address: { ...own, port: 1 }, ...sharding, ...options }),
            AgentCluster.layerClient({ ...sharding, ...options })
          ],
          (joining) => Effect.scoped(Effect.flip(Layer.build(Layer.provide(joining, clientOf(database)))))
        )
      yield* Layer.build(Layer.provide(AgentCluster.layerRunner({ address: own, ...sharding }), clientOf(database)))
      const shards = { _tag: "AgentClusterError", reason: "Shards" }
      expect(yield* refused({ shardsPerGroup: 21 })).toMatchObject([shards, shards])
      const locks = { _tag: "AgentClusterError", reason: "Locks" }
      expect(yield* refused({ shardLockDisableAdvisory: true })).toMatchObject([locks, locks])
      expect(yield* refused({ shardLockExpiration: "40 seconds" })).toMatchObject([locks, locks])
      expect(yield* refused({ shardLockRefreshInterval: "11 seconds" })).toMatchObject([locks, locks])
      const taken = AgentCluster.layerRunner({ address: own, ...sharding })
      expect(yield* Effect.scoped(Effect.flip(Layer.build(Layer.provide(taken, clientOf(database)))))).toMatchObject({
        _tag: "AgentClusterError",
        reason: "Listen"
      })
    })
  )

  it.scoped(
    "Given two runners whose database crashes and whose ports get noise, When all ask with the same ids, Then each is sent and answered once",
    ({ skip }) =>
      Effect.gen(function* () {
        const database = yield* found(skip)
        const agents = yield* Effect.replicateEffect(agent, 6)
        const given: Array<string> = []
        const ports: Array<number> = []
        const runner = Effect.gen(function* () {
          const own = yield* address
          ports.push(own.port)
          return AgentCluster.layer({
            wallet: walletOf,
            pollInterval: 100,
            onMessage: (message) => Effect.sync(() => void given.push(message.address))
          }).pipe(
            Layer.provideMerge(
              AgentCluster.layerInboxIndex({ recipients: (agent) => wallets.has(agent) }).pipe(
                Layer.provide(ProtocolEvents.layer({ pollInterval: 100 }))
              )
            ),
            Layer.provideMerge(AgentCluster.layerRunner({ address: own, ...sharding })),
            Layer.provideMerge(clientOf(database)),
            Layer.fresh
          )
        })
        const one = yield* Layer.build(yield* runner)
        const other = yield* Layer.build(yield* runner)
        const send = (index: number) => {
          const [from, to] = [agents[index % 6], agents[(index + 1) % 6]]
          if (from === undefined || to === undefined) return Effect.dieMessage("no agent")
          return AgentCluster.client(from.wallet.address)
            .send({ id: `send-${index}`, recipient: to.wallet.address, payload: `${index}` })
            .pipe(Effect.retry({ schedule: Schedule.spaced(200), times: 50 }))
        }
        const sends = Array.from({ length: 40 }, (_, index) => send(index))
        const sending = yield* Effect.fork(
          Effect.all(
            [one, other].map((context) => Effect.provide(Effect.all(sends, { concurrency: 10 }), context)),
            {
              concurrency: "unbounded"
            }
          )
        )
        yield* Effect.sleep("1 second")
        yield* Effect.forEach(ports, (port) => Effect.forEach(HOSTILE, (bytes) => throwAt(port, bytes)))
        yield* Option.getOrElse(database.restart, () => Effect.void)
        const [first = [], second = []] = yield* Fiber.join(sending)
        expect(second.map(({ signature }) => signature)).toEqual(first.map(({ signature }) => signature))
        const messages = yield* Message.Message
        const counts = yield* Effect.forEach(agents, ({ wallet }) => Stream.runCount(messages.inbox(wallet.address)))
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40)
        yield* Effect.repeat(Effect.sleep(100), { until: () => new Set(given).size === 40 })
        expect(new Set(given)).toEqual(new Set(first.map(({ address }) => address)))
      }),
    120_000
  )
})
