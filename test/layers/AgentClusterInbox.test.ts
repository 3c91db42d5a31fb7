import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Sharding } from "@effect/cluster/Sharding"
import { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { expect, layer } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as AgentCluster from "../../layers/AgentCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import type { Service as WalletService, Wallet } from "../../services/Wallet.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import { as, registered } from "../support/agents.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cluster-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

const pair = Effect.gen(function* () {
  const alice = yield* registered
  const bob = yield* registered
  return { alice, bob, both: [alice.wallet.address, bob.wallet.address] }
})

/** Agents with these wallets. */
const walletsOf = (...wallets: ReadonlyArray<WalletService>): AgentCluster.Options["wallet"] => {
  const known = new Map(wallets.map((wallet) => [wallet.address, wallet]))
  return (agent) => {
    const wallet = known.get(agent)
    return wallet === undefined
      ? Effect.fail(new InvalidInput({ field: "agent", rule: "is a stranger" }))
      : Effect.succeed(wallet)
  }
}

type Needs = Agent.Agent | Message.Message | Sharding | Wallet

type Options = Omit<AgentCluster.ReadingOptions<never, Needs>, "pollInterval">

/** A new runner over a file, with an index of these wallets' messages. */
const runner = (file: string, wallets: ReadonlyArray<Address>, options: Options) =>
  Layer.fresh(
    AgentCluster.layer({ pollInterval: 20, ...options }).pipe(
      Layer.provideMerge(AgentCluster.layerInboxIndex({ recipients: (wallet) => wallets.includes(wallet) })),
      Layer.provide(ProtocolEvents.layer({ pollInterval: 20 })),
      Layer.provideMerge(AgentCluster.layerSingle({ file, entityTerminationTimeout: "1 second" }))
    )
  )

const textOf = (message: Parameters<Options["onMessage"]>[0]) =>
  Effect.flatMap(Message.Message, (messages) => messages.text(message))

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(Effect.delay(condition, 20), { until: (isTrue) => isTrue })

const send = (from: WalletService, to: WalletService, payload: string) =>
  Effect.flatMap(Message.Message, (messages) => messages.send({ recipient: to.address, payload })).pipe(as(from))

const unread = Effect.gen(function* () {
  const sql = yield* SqlClient
  return yield* sql<{ tries: number }>`SELECT tries FROM pod_inbox_reader WHERE unread`
})

/** Waits until all that was sent is read. */
const allRead = until(
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const [counts] = yield* sql<{ all: number }>`SELECT COUNT(*) AS "all" FROM pod_inbox_reader`
    return (counts?.all ?? 0) > 0 && (yield* unread).length === 0
  })
)

layer(Pod.layerTest, { excludeTestServices: true })("AgentCluster.onMessage", (it) => {
  it.scoped(
    "Given messages over two starts, When an agent reads and answers, Then each is given in order and answered once",
    () =>
      Effect.gen(function* () {
        const { alice, bob, both } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const given: Array<string> = []
        const options: Options = {
          wallet: walletsOf(bob.wallet),
          onMessage: (message) =>
            Effect.gen(function* () {
              const payload = yield* textOf(message)
              given.push(payload)
              const { account } = yield* Effect.flatMap(Agent.Agent, (agents) => agents.get(message.account.sender))
              const answer = AgentCluster.client(bob.wallet.address).send({
                id: message.address,
                recipient: account.wallet,
                payload: `re: ${payload}`
              })
              yield* answer
              yield* answer
            })
        }
        yield* send(alice.wallet, bob.wallet, "a")
        yield* send(alice.wallet, bob.wallet, "b")
        yield* Effect.provide(allRead, runner(file, both, options))
        yield* send(alice.wallet, bob.wallet, "c")
        yield* Effect.zipRight(until(Effect.sync(() => given.length === 3)), allRead).pipe(
          Effect.provide(runner(file, both, options))
        )
        expect(given).toEqual(["a", "b", "c"])
        const messages = yield* Message.Message
        expect(yield* Stream.runCount(messages.inbox(alice.wallet.address))).toBe(3)
      })
  )

  it.scoped("Given a message that fails, When it fails too often, Then it alone is passed over, in its turn", () =>
    Effect.gen(function* () {
      const { alice, bob, both } = yield* pair
      const file = join(yield* temporary, "cluster.sqlite")
      const given: Array<string> = []
      yield* send(alice.wallet, bob.wallet, "poison")
      yield* send(alice.wallet, bob.wallet, "good")
      const onMessage: Options["onMessage"] = (message) =>
        Effect.gen(function* () {
          const payload = yield* textOf(message)
          given.push(payload)
          if (payload === "poison") return yield* given.length === 1 ? Effect.interrupt : Effect.die("poison")
        })
      yield* allRead.pipe(Effect.provide(runner(file, both, { wallet: walletsOf(bob.wallet), onMessage, attempts: 2 })))
      expect(given).toEqual(["poison", "poison", "good"])
    })
  )

  it.scoped(
    "Given a runner that ends while an agent reads, When the next one starts, Then the message is given again, uncounted",
    () =>
      Effect.gen(function* () {
        const { alice, bob, both } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const began = yield* Deferred.make<void>()
        const wallet = walletsOf(bob.wallet)
        yield* send(alice.wallet, bob.wallet, "slow")
        const never = runner(file, both, {
          wallet,
          onMessage: () => Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
        })
        yield* Effect.provide(Deferred.await(began), never)
        const given: Array<string> = []
        const onMessage: Options["onMessage"] = (message) =>
          Effect.map(textOf(message), (payload) => void given.push(payload))
        const left = yield* Effect.provide(unread, Layer.fresh(AgentCluster.layerSingle({ file })))
        expect(left).toEqual([{ tries: 0 }])
        yield* Effect.provide(allRead, runner(file, both, { wallet, onMessage }))
        expect(given).toEqual(["slow"])
      })
  )

  it.scoped(
    "Given a message with which the process always ended, When the next one starts, Then it is passed over unseen",
    () =>
      Effect.gen(function* () {
        const { alice, bob, both } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const wallet = walletsOf(bob.wallet)
        const began = yield* Deferred.make<void>()
        yield* send(alice.wallet, bob.wallet, "deadly")
        yield* send(alice.wallet, bob.wallet, "good")
        const onMessage = () => Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
        yield* Effect.provide(Deferred.await(began), runner(file, both, { wallet, onMessage }))
        // As three processes leave it that were killed.
        yield* Effect.flatMap(SqlClient, (sql) => sql`UPDATE pod_inbox_reader SET tries = 3`).pipe(
          Effect.provide(Layer.fresh(AgentCluster.layerSingle({ file })))
        )
        const given: Array<string> = []
        yield* allRead.pipe(
          Effect.provide(
            runner(file, both, {
              wallet,
              attempts: 3,
              onMessage: (message) => Effect.map(textOf(message), (payload) => void given.push(payload))
            })
          )
        )
        expect(given).toEqual(["good"])
      })
  )

  it.scoped(
    "Given messages to strangers, When they come, Then no agent wakes for them again, and its own reads on",
    () =>
      Effect.gen(function* () {
        const { alice, bob, both } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const asked: Array<string> = []
        const given: Array<string> = []
        const known = walletsOf(bob.wallet)
        yield* send(bob.wallet, alice.wallet, "to a stranger")
        yield* send(alice.wallet, bob.wallet, "to an agent")
        yield* allRead.pipe(
          Effect.zipLeft(Effect.sleep(100)),
          Effect.provide(
            runner(file, both, {
              wallet: (agent) =>
                Effect.zipRight(
                  Effect.sync(() => asked.push(agent)),
                  known(agent)
                ),
              onMessage: (message) => Effect.map(textOf(message), (payload) => void given.push(payload))
            })
          )
        )
        expect(given).toEqual(["to an agent"])
        expect(asked.toSorted()).toEqual([alice.wallet.address, bob.wallet.address].toSorted())
      })
  )

  it.scoped(
    "Given a database that ends during a COMMIT of the index, When it is back, Then all messages are read",
    () =>
      Effect.gen(function* () {
        const { alice, bob, both } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const given: Array<string> = []
        const texts = ["before", "meanwhile", "after"]
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient
          yield* send(alice.wallet, bob.wallet, "before")
          yield* until(Effect.sync(() => given.length === 1))
          const { withTransaction } = sql
          let failures = 0
          // As withTransaction does when the COMMIT fails: nothing is written, and the cause is a defect.
          Reflect.set(sql, "withTransaction", <A, E, R>(self: Effect.Effect<A, E, R>) => {
            failures++
            const cause = new SqlError({ cause: new Error("Connection terminated unexpectedly") })
            return withTransaction(Effect.zipRight(self, Effect.fail(cause))).pipe(Effect.orDie)
          })
          yield* send(alice.wallet, bob.wallet, "meanwhile")
          yield* until(Effect.sync(() => failures > 0))
          Reflect.set(sql, "withTransaction", withTransaction)
          yield* send(alice.wallet, bob.wallet, "after")
          yield* until(Effect.sync(() => given.length === texts.length))
        }).pipe(
          Effect.provide(
            runner(file, both, {
              wallet: walletsOf(alice.wallet, bob.wallet),
              onMessage: (message) => Effect.map(textOf(message), (payload) => void given.push(payload))
            })
          )
        )
        expect(given).toEqual(texts)
      })
  )

  it.scoped("Given invalid options, When a runner starts, Then InvalidInput names them", () =>
    Effect.gen(function* () {
      const file = join(yield* temporary, "cluster.sqlite")
      const wallet = walletsOf()
      const bad: ReadonlyArray<readonly [string, object]> = [
        ["onMessage", { onMessage: 5 }],
        ["attempts", { attempts: 0 }],
        ["readers", { readers: 1.5 }],
        ["pollInterval", { pollInterval: Infinity }],
        ["concurrency", { concurrency: 0 }]
      ]
      for (const [field, options] of bad) {
        const built = Layer.build(runner(file, [], { wallet, onMessage: () => Effect.void, ...options }))
        expect(yield* Effect.scoped(Effect.flip(built))).toMatchObject({ _tag: "InvalidInput", field })
      }
      const index = AgentCluster.layerInboxIndex({ recipients: Object("x") })
      const built = Layer.build(Layer.provide(index, [ProtocolEvents.layer(), AgentCluster.layerSingle({ file })]))
      expect(yield* Effect.scoped(Effect.flip(built))).toMatchObject({ _tag: "InvalidInput", field: "recipients" })
    })
  )
})
