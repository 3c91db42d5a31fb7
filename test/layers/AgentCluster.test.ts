import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { describe, expect, it, layer } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as AgentCluster from "../../layers/AgentCluster.js"
import * as Pod from "../../layers/Pod.js"
import * as Message from "../../services/Message.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import type { Service as WalletService } from "../../services/Wallet.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Pda from "../../src/protocol/Pda.js"
import { registered } from "../support/agents.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cluster-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

const pair = Effect.all({ alice: registered, bob: registered })

/** A runner whose agents have these wallets, and all others the first one. */
const agentsOf = (first: WalletService, ...others: ReadonlyArray<WalletService>): AgentCluster.Options => {
  const wallets = new Map([first, ...others].map((wallet) => [wallet.address, wallet]))
  return { wallet: (agent) => Effect.succeed(wallets.get(agent) ?? first) }
}

/** What a caller without types may pass. */
const unchecked = (value: string): Address => value as Address

const inbox = (wallet: Address) =>
  Effect.flatMap(Message.Message, (messages) => Stream.runCount(messages.inbox(wallet)))

describe("AgentCluster", () => {
  it.scopedLive(
    "Given one id, When it is sent at once, again, and after a restart, Then there is one message and one receipt",
    () =>
      Effect.gen(function* () {
        const { alice, bob } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const runner = AgentCluster.layer(agentsOf(alice.wallet)).pipe(
          Layer.provideMerge(AgentCluster.layerSingle({ file, entityTerminationTimeout: "1 second" }))
        )
        const send = AgentCluster.client(alice.wallet.address).send({
          recipient: bob.wallet.address,
          payload: "pay 5",
          id: "order-1"
        })
        const first = yield* Effect.all(
          Arr.makeBy(10, () => send),
          { concurrency: "unbounded" }
        ).pipe(Effect.provide(runner))
        const second = yield* send.pipe(Effect.provide(Layer.fresh(runner)))
        expect(new Set([...first, second].map(({ signature }) => signature)).size).toBe(1)
        expect(second).toEqual(first[0])
        expect(yield* inbox(bob.wallet.address)).toBe(1)
      }).pipe(Effect.provide(Pod.layerTest))
  )

  it.scopedLive(
    "Given a file in use, or made for other shards, When a runner starts, Then it is refused with the reason",
    () =>
      Effect.gen(function* () {
        const file = join(yield* temporary, "cluster.sqlite")
        const refused = (options: Omit<AgentCluster.SingleOptions, "file">) =>
          Effect.scoped(Effect.flip(Layer.build(Layer.fresh(AgentCluster.layerSingle({ file, ...options })))))
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Layer.build(AgentCluster.layerSingle({ file }))
            expect(yield* refused({})).toMatchObject({ _tag: "AgentClusterError", reason: "Locked" })
          })
        )
        expect(yield* refused({ shardsPerGroup: 299 })).toMatchObject({ _tag: "AgentClusterError", reason: "Shards" })
        expect(
          yield* refused({ shardLockExpiration: "36 seconds", shardLockRefreshInterval: "13 seconds" })
        ).toMatchObject({ _tag: "InvalidInput", field: "shardLockExpiration", size: 36_000 })
      })
  )

  it.scopedLive(
    "Given a file whose name SQLite takes for memory, When a runner restarts, Then the file kept it all",
    () =>
      Effect.gen(function* () {
        const file = ":memory:"
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(resolve(file), { force: true })))
        const start = (shardsPerGroup: number) =>
          Effect.scoped(Layer.build(Layer.fresh(AgentCluster.layerSingle({ file, shardsPerGroup }))))
        yield* start(300)
        expect(yield* Effect.flip(start(299))).toMatchObject({ _tag: "AgentClusterError", reason: "Shards" })
      })
  )

  it.scopedLive(
    "Given messages before and after a restart, When the index follows, Then an agent reads each of its rows once",
    () =>
      Effect.gen(function* () {
        const { alice, bob } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const runner = AgentCluster.layer(agentsOf(alice.wallet)).pipe(
          Layer.provideMerge(AgentCluster.layerInboxIndex()),
          Layer.provide(ProtocolEvents.layer({ pollInterval: 20 })),
          Layer.provideMerge(AgentCluster.layerSingle({ file, entityTerminationTimeout: "1 second" }))
        )
        const send = (payload: string) =>
          AgentCluster.client(alice.wallet.address).send({ recipient: bob.wallet.address, payload })
        const first = yield* Effect.forEach(["a", "b", "c"], send).pipe(
          Effect.zipLeft(
            AgentCluster.inbox(bob.wallet.address).pipe(
              Effect.delay(20),
              Effect.repeat({ until: (rows) => rows.length === 3 })
            )
          ),
          Effect.provide(Layer.fresh(runner))
        )
        yield* Effect.gen(function* () {
          const known = yield* AgentCluster.inbox(bob.wallet.address)
          expect(known.map(({ address }) => address)).toEqual(first.map(({ address }) => address))
          const { address } = yield* send("d")
          const next = yield* AgentCluster.inbox(bob.wallet.address, { after: known[2] }).pipe(
            Effect.delay(20),
            Effect.repeat({ until: (rows) => rows.length > 0 })
          )
          expect(next.map((row) => row.address)).toEqual([address])
          expect(yield* AgentCluster.inbox(alice.wallet.address)).toEqual([])
          expect(yield* AgentCluster.inbox(bob.wallet.address, { limit: 2 })).toEqual(known.slice(0, 2))
        }).pipe(Effect.provide(Layer.fresh(runner)))
      }).pipe(Effect.provide(Pod.layerTest))
  )

  it.scopedLive(
    "Given answered requests, When they are pruned, Then an id asked again still makes no second message",
    () =>
      Effect.gen(function* () {
        const { alice, bob } = yield* pair
        const file = join(yield* temporary, "cluster.sqlite")
        const runner = AgentCluster.layer(agentsOf(alice.wallet)).pipe(
          Layer.provideMerge(AgentCluster.layerHousekeeping()),
          Layer.provideMerge(AgentCluster.layerSingle({ file, entityTerminationTimeout: "1 second" }))
        )
        const send = (id: string) =>
          AgentCluster.client(alice.wallet.address).send({ recipient: bob.wallet.address, payload: "hello", id })
        yield* Effect.gen(function* () {
          const receipts = yield* Effect.forEach(["a", "b", "c"], send)
          expect(yield* AgentCluster.prune()).toBe(0)
          yield* Effect.sleep(5)
          expect(yield* AgentCluster.prune({ keep: 1, batch: 2 })).toBe(3)
          expect(yield* Effect.forEach(["a", "b", "c"], send)).toEqual(receipts)
        }).pipe(Effect.provide(runner))
        expect(yield* inbox(bob.wallet.address)).toBe(3)
      }).pipe(Effect.provide(Pod.layerTest))
  )

  it.scopedLive("Given SQLite, When a runner or a client for several starts, Then it is refused", () =>
    Effect.gen(function* () {
      const file = join(yield* temporary, "cluster.sqlite")
      const database = AgentCluster.layerSingle({ file })
      for (const runner of [
        AgentCluster.layerRunner({ address: { host: "127.0.0.1", port: 1 } }),
        AgentCluster.layerClient()
      ]) {
        const refused = yield* Effect.scoped(Effect.flip(Layer.build(Layer.provide(runner, Layer.fresh(database)))))
        expect(refused).toMatchObject({ _tag: "AgentClusterError", reason: "Sqlite" })
      }
    })
  )
})

layer(Pod.layerTest)("AgentCluster in memory", (it) => {
  it.effect("Given agents in memory, When each sends without an id, Then each send makes its own message", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      const fromAlice = AgentCluster.client(alice.wallet.address)
      const receipts = yield* Effect.all([
        fromAlice.send({ recipient: bob.wallet.address, payload: "hello" }),
        fromAlice.send({ recipient: bob.wallet.address, payload: "hello" }),
        AgentCluster.client(bob.wallet.address).send({ recipient: alice.wallet.address, payload: "hello" })
      ]).pipe(Effect.provide(AgentCluster.layerTest(agentsOf(alice.wallet, bob.wallet))))
      expect(new Set(receipts.map(({ address }) => address)).size).toBe(3)
      expect(yield* inbox(bob.wallet.address)).toBe(2)
    })
  )

  it.effect("Given the wallet of another agent, When an agent is to send, Then it refuses and sends nothing", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      const refused = yield* AgentCluster.client(bob.wallet.address)
        .send({ recipient: alice.wallet.address, payload: "hello", id: "x" })
        .pipe(Effect.flip, Effect.provide(AgentCluster.layerTest(agentsOf(alice.wallet))))
      expect(refused).toMatchObject({ _tag: "InvalidInput", field: "wallet" })
      expect(yield* inbox(alice.wallet.address)).toBe(0)
    })
  )

  it.effect(
    "Given a send that failed, When it is asked again with its id, Then it is done and not refused by the past",
    () =>
      Effect.gen(function* () {
        const { alice, bob } = yield* pair
        let isLocked = true
        const runner = AgentCluster.layerTest({
          wallet: () => Effect.succeed(isLocked ? bob.wallet : alice.wallet)
        })
        yield* Effect.gen(function* () {
          const send = AgentCluster.client(alice.wallet.address).send({
            recipient: bob.wallet.address,
            payload: "hello",
            id: "x"
          })
          yield* Effect.flip(send)
          yield* Effect.flip(send)
          isLocked = false
          const receipt = yield* send
          expect(yield* send).toEqual(receipt)
        }).pipe(Effect.provide(runner))
        expect(yield* inbox(bob.wallet.address)).toBe(1)
      })
  )

  it.effect("Given an id that failed a hundred times, When it is asked again, Then it is done with one more ask", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      let asked = 0
      const runner = AgentCluster.layerTest({
        wallet: () => Effect.sync(() => (asked++ < 100 ? bob.wallet : alice.wallet))
      })
      const send = AgentCluster.client(alice.wallet.address).send({
        recipient: bob.wallet.address,
        payload: "hello",
        id: "x"
      })
      yield* Effect.gen(function* () {
        yield* Effect.replicateEffect(Effect.flip(send), 100)
        expect(asked).toBe(100)
        yield* send
        expect(asked).toBe(101)
      }).pipe(Effect.provide(runner))
      expect(yield* inbox(bob.wallet.address)).toBe(1)
    })
  )

  it.effect("Given sends at once, When the agent needs its wallet, Then it is requested once", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      let requests = 0
      const wallet = () =>
        Effect.suspend(() => {
          requests++
          return Effect.as(Effect.yieldNow(), alice.wallet)
        })
      const { send } = AgentCluster.client(alice.wallet.address)
      yield* Effect.forEach(["a", "b", "c"], (payload) => send({ recipient: bob.wallet.address, payload }), {
        concurrency: "unbounded"
      }).pipe(Effect.provide(AgentCluster.layerTest({ wallet })))
      expect(requests).toBe(1)
    })
  )

  it.effect("Given a wallet that fails or throws, When it is requested again, Then what it held is released", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      let requests = 0
      let held = 0
      const wallet = () =>
        Effect.zipRight(
          Effect.acquireRelease(
            Effect.sync(() => held++),
            () => Effect.sync(() => held--)
          ),
          Effect.suspend(() => {
            if (++requests === 1) throw new Error("no device")
            return requests === 2
              ? Effect.fail(new InvalidInput({ field: "wallet", rule: "must be unlocked" }))
              : Effect.succeed(requests === 3 ? bob.wallet : alice.wallet)
          })
        )
      yield* Effect.gen(function* () {
        const send = AgentCluster.client(alice.wallet.address).send({ recipient: bob.wallet.address, payload: "a" })
        for (let failures = 0; failures < 3; failures++) {
          expect(yield* Effect.flip(send)).toHaveProperty("_tag")
          expect(held).toBe(0)
        }
        yield* send
        expect(held).toBe(1)
      }).pipe(Effect.provide(AgentCluster.layerTest({ wallet })))
      expect(held).toBe(0)
    })
  )

  it.effect("Given a wallet that always interrupts itself, When a send asks, Then it fails and is not repeated", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      let requests = 0
      const wallet = () => Effect.suspend(() => (++requests > 100 ? Effect.never : Effect.interrupt))
      const send = AgentCluster.client(alice.wallet.address).send({ recipient: bob.wallet.address, payload: "a" })
      const sending = yield* Effect.fork(Effect.flip(Effect.provide(send, AgentCluster.layerTest({ wallet }))))
      yield* TestClock.adjust("3 minutes")
      expect(yield* Fiber.join(sending)).toMatchObject({ _tag: "AgentClusterError", reason: "Defect" })
      expect(requests).toBe(1)
    })
  )

  it.effect("Given a wallet that threw, When the send is asked again, Then the defect is not its answer for ever", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      let isBroken = true
      const runner = AgentCluster.layerTest({
        wallet: () => (isBroken ? Effect.dieMessage("no such key") : Effect.succeed(alice.wallet))
      })
      yield* Effect.gen(function* () {
        const send = AgentCluster.client(alice.wallet.address).send({
          recipient: bob.wallet.address,
          payload: "hello",
          id: "x"
        })
        expect(yield* Effect.flip(send)).toMatchObject({ _tag: "AgentClusterError", reason: "Defect" })
        isBroken = false
        yield* send
      }).pipe(Effect.provide(runner))
      expect(yield* inbox(bob.wallet.address)).toBe(1)
    })
  )

  it.effect("Given one id, When its content differs, Then each content is a message of its own, sent once", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      const receipts = yield* Effect.forEach(["pay 5", "pay 6", "pay 5", "pay 6"], (payload) =>
        AgentCluster.client(alice.wallet.address).send({ recipient: bob.wallet.address, payload, id: "x" })
      ).pipe(Effect.provide(AgentCluster.layerTest(agentsOf(alice.wallet))))
      expect(new Set(receipts.map(({ address }) => address)).size).toBe(2)
      expect(yield* inbox(bob.wallet.address)).toBe(2)
    })
  )

  it.effect("Given two sends of one id at once, When the clock moves, Then both have the one receipt", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      const [first, second] = yield* Effect.gen(function* () {
        const send = AgentCluster.client(alice.wallet.address).send({
          recipient: bob.wallet.address,
          payload: "hello",
          id: "x"
        })
        const both = yield* Effect.fork(Effect.all([send, send], { concurrency: 2 }))
        const poll = Effect.zipRight(TestClock.adjust("200 millis"), Fiber.poll(both))
        yield* Effect.repeat(poll, { until: Option.isSome })
        return yield* Fiber.join(both)
      }).pipe(Effect.provide(AgentCluster.layerTest(agentsOf(alice.wallet))))
      expect(first).toEqual(second)
      expect(yield* inbox(bob.wallet.address)).toBe(1)
    })
  )

  it.effect("Given a caller that is interrupted, When it asks again, Then the message was sent once", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      yield* Effect.gen(function* () {
        const send = AgentCluster.client(alice.wallet.address).send({
          recipient: bob.wallet.address,
          payload: "hello",
          id: "x"
        })
        yield* Effect.forEach(Arr.range(1, 20), (turns) =>
          Effect.raceFirst(send, Effect.repeatN(Effect.yieldNow(), turns * turns))
        )
        yield* send
      }).pipe(Effect.provide(AgentCluster.layerTest(agentsOf(alice.wallet))))
      expect(yield* inbox(bob.wallet.address)).toBe(1)
    })
  )

  it.effect("Given invalid input, When it is sent, Then InvalidInput names it before anything is stored", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* pair
      const input = { recipient: bob.wallet.address, payload: "hello" }
      const agent = alice.wallet.address
      const offCurve = Pda.agent(agent).address
      const from = (wallet: Address, changes: object, options?: AgentCluster.CallOptions) =>
        AgentCluster.client(wallet).send({ ...input, ...changes }, options)
      const cases = [
        ["agent", from(offCurve, {})],
        ["agent", from(unchecked("off the map"), {})],
        ["recipient", from(agent, { recipient: offCurve })],
        ["recipient", from(agent, { recipient: "x" })],
        ["id", from(agent, { id: "" })],
        ["id", from(agent, { id: "x".repeat(1025) })],
        ["id", from(agent, { id: new Uint8Array(15) })],
        ["payload", from(agent, { payload: new Uint8Array(256 * 1024 + 1) })],
        ["payload", from(agent, { payload: 5 })],
        ["createdAt", from(agent, { createdAt: -1n })],
        ["type", from(agent, { type: "Text" })],
        ["seal", from(agent, { seal: 1 })],
        ["sealTo", from(agent, { sealTo: "moon" })],
        ["timeout", from(agent, {}, { timeout: 0 })]
      ] as const
      yield* Effect.forEach(cases, ([field, send]) =>
        Effect.map(Effect.flip(send), (error) => expect(error).toMatchObject({ _tag: "InvalidInput", field }))
      ).pipe(Effect.provide(AgentCluster.layerTest(agentsOf(alice.wallet))))
    })
  )

  it.effect("Given settings, When they are checked, Then those under which shards flap are refused by name", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, AgentCluster.ShardingOptions]> = [
        ["shardLockExpiration", { shardLockExpiration: "9 seconds" }],
        ["shardLockRefreshInterval", { shardLockRefreshInterval: "3 seconds" }],
        ["shardLockExpiration", { shardLockRefreshInterval: "20 seconds" }],
        ["runnerHealthCheckInterval", { runnerHealthCheckInterval: 0 }],
        ["entityTerminationTimeout", { entityTerminationTimeout: Infinity }],
        ["shardsPerGroup", { shardsPerGroup: 0 }],
        ["shardsPerGroup", { shardsPerGroup: 1.5 }]
      ]
      for (const [field, options] of cases) {
        expect(yield* Effect.flip(AgentCluster.sharding(options))).toMatchObject({ _tag: "InvalidInput", field })
      }
      expect(yield* AgentCluster.sharding()).toMatchObject({ shardsPerGroup: 300 })
    })
  )
})
