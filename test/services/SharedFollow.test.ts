import { assert, describe, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as EmbeddedServer from "../../layers/EmbeddedServer.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Channel from "../../services/Channel.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as SharedFollow from "../../services/program/SharedFollow.js"
import * as RpcPools from "../../services/RpcPool.js"
import { type AccountInfo, RpcPool } from "../../services/RpcPool.js"
import { RpcError, SubscriptionError } from "../../services/RpcTransport.js"
import { SubscriptionObserver } from "../../services/SubscriptionObserver.js"
import * as Transactions from "../../services/Transactions.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Hash from "../../src/solana/Hash.js"
import * as Chain from "../support/cachedChain.js"
import * as Eventful from "../support/eventful.js"
import * as Story from "../support/story.js"

/** The wallet of the recipient of this number. */
const recipient = (number: number): Address => {
  const bytes = new Uint8Array(32).fill(3)
  new DataView(bytes.buffer).setUint32(0, number)
  return Addresses.fromBytes(bytes)
}

let sent = 0

/** A message to each of these, in one transaction. */
const tell = (...numbers: ReadonlyArray<number>) =>
  Story.send(
    Eventful.sender,
    numbers.map((number) =>
      Instruction.sendMessage({
        wallet: Eventful.sender.wallet,
        recipient: recipient(number),
        payloadHash: Hash.sha256(new TextEncoder().encode(`shared ${sent++}`)),
        type: MessageType.Text
      })
    )
  )

interface Counts {
  listings: number
  subscriptions: number
  open: number
}

/** A served cluster that counts, and the services over sockets to it. */
const served = (counts: Counts) => {
  const counted = Layer.effect(
    EmbeddedCluster.EmbeddedCluster,
    Effect.map(EmbeddedCluster.EmbeddedCluster, (cluster) => ({
      ...cluster,
      request: (method: string, params: ReadonlyArray<unknown>) => {
        if (method === "getProgramAccounts") counts.listings++
        return cluster.request(method, params)
      },
      listen: (...options: Parameters<typeof cluster.listen>) =>
        Effect.map(cluster.listen(...options), (listening) => {
          if (options[0] !== "program") return listening
          counts.subscriptions++
          counts.open++
          return {
            ...listening,
            close: () => {
              counts.open--
              listening.close()
            }
          }
        })
    }))
  ).pipe(Layer.provide(EmbeddedCluster.layer({ genesisTime: 1_700_000_000n })))
  const sockets = Layer.unwrapScoped(
    Effect.map(EmbeddedServer.serve(), ({ url }) => RpcPoolUndici.layer({ url: Redacted.make(url) }))
  )
  return services.pipe(Layer.provideMerge(sockets), Layer.provideMerge(counted))
}

const services = Layer.merge(Message.layer, Channel.layer).pipe(
  Layer.provideMerge(Layer.merge(Transactions.layer(), PayloadStore.layerMemory))
)

const embedded = RpcPoolEmbedded.layer.pipe(Layer.provideMerge(EmbeddedCluster.layer({ genesisTime: 1_700_000_000n })))

const { wallet } = Eventful.sender

const channelOf = (name: string): Address => Either.getOrThrow(Pda.channel(wallet, name)).address

const create = (name: string) =>
  Story.send(Eventful.sender, [
    Instruction.createChannelV2({
      wallet,
      name,
      description: "d",
      visibility: "Public",
      maxParticipants: 10,
      feePerMessage: 0n
    })
  ])

/** The program refuses a message within 10 seconds of the last one. */
const broadcastTo = (name: string, number: number) =>
  Effect.zipRight(
    Effect.flatMap(EmbeddedCluster.EmbeddedCluster, ({ advanceTime }) => advanceTime("11 seconds")),
    Story.send(Eventful.sender, [
      Instruction.broadcastMessage({
        wallet,
        channel: channelOf(name),
        content: `message ${number}`,
        type: MessageType.Text,
        nonce: BigInt(number)
      })
    ])
  )

const inbox = (number: number) =>
  Stream.unwrap(Effect.map(Message.Message, ({ inbox }) => inbox(recipient(number), { follow: true })))

const waitUntil = (isDone: () => boolean) => Effect.repeat(Effect.sleep("2 millis"), { until: isDone, times: 2000 })

const none = (): Counts => ({ listings: 0, subscriptions: 0, open: 0 })

describe("followers that share", () => {
  it.live(
    "Given a thousand inboxes, When they are followed, Then there is one subscription and one listing, and each gets its own",
    () => {
      const counts = none()
      return Effect.gen(function* () {
        const count = 1000
        yield* Eventful.begin
        yield* tell(0, 1, 2)
        yield* tell(2, 999)
        const seen = new Map<number, number>()
        const scope = yield* Scope.make()
        for (let number = 0; number < count; number++) {
          yield* inbox(number).pipe(
            Stream.runForEach(({ account }) =>
              Effect.sync(() => {
                assert.strictEqual(account.recipient, recipient(number))
                seen.set(number, (seen.get(number) ?? 0) + 1)
              })
            ),
            Effect.forkIn(scope)
          )
        }
        const until = (total: number) =>
          Effect.repeat(Effect.sleep("10 millis"), {
            until: () => Array.from(seen.values()).reduce((sum, one) => sum + one, 0) === total
          })
        yield* until(5)
        for (let first = 0; first < count; first += 100) yield* tell(first, first + 1, first + 99)
        yield* until(35)
        assert.strictEqual(seen.get(999), 2)
        assert.strictEqual(seen.get(2), 2)
        // One that comes late finds what is there without another listing.
        const [late] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(inbox(999), 2)))
        assert.strictEqual(late?.account.recipient, recipient(999))
        // Senders are divided from the same listing.
        const outbox = Stream.unwrap(
          Effect.map(Message.Message, ({ outbox }) => outbox(Eventful.sender.wallet, { follow: true }))
        )
        assert.strictEqual((yield* Stream.runCollect(Stream.take(outbox, 35))).length, 35)
        assert.deepStrictEqual(counts, { listings: 1, subscriptions: 1, open: 1 })
        yield* Scope.close(scope, Exit.void)
        yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => counts.open === 0 })
      }).pipe(Effect.provide(served(counts)))
    }
  )

  it.live("Given one inbox, When it is followed alone, Then the node is asked for its accounts only", () => {
    const counts = none()
    const filters: Array<number> = []
    return Effect.gen(function* () {
      yield* Eventful.begin
      yield* tell(1, 2)
      const pool = yield* RpcPool
      const spied = {
        ...pool,
        getProgramAccounts: (...[program, options]: Parameters<typeof pool.getProgramAccounts>) =>
          Effect.suspend(() => {
            filters.push(options?.filters?.length ?? 0)
            return pool.getProgramAccounts(program, options)
          })
      }
      yield* Stream.runDrain(Stream.take(inbox(1), 1)).pipe(
        Effect.provide(Layer.fresh(services).pipe(Layer.provide(Layer.succeed(RpcPool, spied))))
      )
      assert.deepStrictEqual(filters, [2])
    }).pipe(Effect.provide(served(counts)))
  })

  it.live(
    "Given a slow follower, When messages come, Then the others get theirs, and it gets all of its own in the end",
    () =>
      Effect.gen(function* () {
        yield* Eventful.begin
        const gate = yield* Deferred.make<void>()
        const slow = yield* inbox(1).pipe(
          Stream.tap(() => Deferred.await(gate)),
          Stream.take(60),
          Stream.runCollect,
          Effect.fork
        )
        const fast = yield* Effect.fork(Stream.runCollect(Stream.take(inbox(2), 60)))
        yield* Effect.sleep("100 millis")
        for (let round = 0; round < 60; round++) yield* tell(1, 2)
        assert.strictEqual((yield* Fiber.join(fast)).length, 60)
        yield* Deferred.succeed(gate, undefined)
        const addresses = Array.from(yield* Fiber.join(slow), ({ address }) => address)
        assert.strictEqual(Arr.dedupe(addresses).length, 60)
      }).pipe(Effect.provide(services.pipe(Layer.provideMerge(embedded))))
  )

  it.live(
    "Given a node that refuses the whole listing, When inboxes share, Then each goes on alone and none fails",
    () => {
      let refused = 0
      const stubborn = Layer.effect(
        RpcPool,
        Effect.map(RpcPool, (pool) => ({
          ...pool,
          getProgramAccounts: (...[program, options]: Parameters<typeof pool.getProgramAccounts>) =>
            Effect.suspend(() => {
              if (options?.filters?.length !== 1) return pool.getProgramAccounts(program, options)
              refused++
              return Effect.fail(
                new RpcError({
                  reason: "Node",
                  method: "getProgramAccounts",
                  code: -32010,
                  detail: "too many accounts"
                })
              )
            })
        }))
      )
      return Effect.gen(function* () {
        yield* Eventful.begin
        yield* tell(1, 2, 3)
        const followers = yield* Effect.forEach([1, 2, 3], (number) =>
          Effect.fork(Stream.runCollect(Stream.take(inbox(number), 2)))
        )
        yield* Effect.sleep("200 millis")
        yield* tell(1, 2, 3)
        for (const follower of followers) assert.strictEqual((yield* Fiber.join(follower)).length, 2)
        assert.strictEqual(refused, 1)
      }).pipe(Effect.provide(services.pipe(Layer.provide(stubborn), Layer.provideMerge(embedded))))
    }
  )

  it.scopedLive(
    "Given a follower whose queue was full, When the shared subscription is refused meanwhile, Then it goes on alone",
    () =>
      Effect.gen(function* () {
        const notifications = yield* Queue.unbounded<Either.Either<AccountInfo, SubscriptionError>>()
        const pool = yield* RpcPool.pipe(
          Effect.provide(
            RpcPools.layerTest({
              getProgramAccounts: () => Effect.succeed({ slot: 1n, value: [] }),
              programSubscribe: () =>
                Stream.unwrap(
                  Effect.flatMap(SubscriptionObserver, ({ established }) =>
                    Effect.as(
                      established({ host: "node" }),
                      Stream.fromQueue(notifications).pipe(
                        Stream.mapEffect((notified) => notified),
                        Stream.map((value) => ({ slot: 2n, value }))
                      )
                    )
                  )
                )
            })
          )
        )
        const account = (owner: number, number: number, size: number): AccountInfo => {
          const data = new Uint8Array(size)
          data.set(Addresses.toBytes(recipient(owner)), 8)
          return Chain.infoOf(recipient(1000 + number), data)
        }
        const shared = yield* SharedFollow.make(pool, PROGRAM_ID)
        const follower = (number: number) =>
          Effect.flatMap(Effect.scope, (scope) =>
            shared(
              {
                tag: "DirectMessage",
                offset: 8,
                address: recipient(number),
                options: {},
                alone: () => Stream.make(account(number, 99, 100))
              },
              scope
            )
          )
        const [full, quick] = yield* Effect.all([follower(1), follower(2)], { concurrency: 2 })
        const next = (pull: typeof full) => Effect.map(pull, (chunk) => Chunk.unsafeHead(chunk).address)
        // Two of these are more than a queue holds.
        for (const number of [1, 2, 3])
          yield* Queue.offer(notifications, Either.right(account(1, number, 5 * 1024 * 1024)))
        yield* Queue.offer(notifications, Either.right(account(2, 4, 100)))
        assert.strictEqual(yield* next(quick), recipient(1004))
        const refused = new SubscriptionError({ reason: "Refused", method: "programSubscribe", detail: "test" })
        yield* Queue.offer(notifications, Either.left(refused))
        assert.strictEqual(yield* next(quick), recipient(1099))
        assert.strictEqual(yield* next(full), recipient(1001))
        assert.strictEqual(yield* next(full), recipient(1099))
      })
  )

  it.live(
    "Given services that were built where nothing can be interrupted, When the last follower ends, Then its end does not wait",
    () =>
      Effect.gen(function* () {
        yield* Eventful.begin
        const scope = yield* Scope.make()
        const context = yield* Effect.uninterruptible(Layer.buildWithScope(Layer.fresh(services), scope))
        const followers = yield* Effect.forEach([1, 2], (number) =>
          Effect.fork(Stream.runDrain(inbox(number)).pipe(Effect.provide(context)))
        )
        yield* Effect.sleep("100 millis")
        yield* Fiber.interruptAll(followers)
        yield* Scope.close(scope, Exit.void)
      }).pipe(Effect.provide(embedded))
  )

  it.live(
    "Given followers, When each is interrupted a little later in its start, Then no subscription stays open",
    () => {
      const counts = none()
      return Effect.gen(function* () {
        const startAll = Effect.forEach([1, 2, 3], (number) => Effect.fork(Stream.runDrain(inbox(number))))
        for (let steps = 0; steps < 40; steps++) {
          const followers = yield* startAll
          yield* Effect.repeatN(Effect.yieldNow(), steps)
          if (steps % 4 === 3) yield* Effect.sleep(steps)
          yield* Fiber.interruptAll(followers)
        }
        const followers = yield* startAll
        yield* waitUntil(() => counts.open > 0)
        assert.isAbove(counts.open, 0)
        yield* Fiber.interruptAll(followers)
        yield* waitUntil(() => counts.open === 0)
        assert.strictEqual(counts.open, 0)
      }).pipe(Effect.provide(served(counts)))
    }
  )

  it.live(
    "Given followers of channels that come and go, When messages are broadcast, Then each gets those of its channel",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        yield* Eventful.begin
        const names = ["one", "two", "three"]
        yield* Effect.forEach(names, create)
        for (let round = 0; round < 5; round++) {
          const scope = yield* Scope.make()
          const heard = yield* Effect.forEach(names, (name) =>
            channels
              .messages(channelOf(name), { follow: true })
              .pipe(Stream.take(round + 1), Stream.runCollect, Effect.forkIn(scope))
          )
          yield* Effect.sleep("50 millis")
          yield* Effect.forEach(names, (name) => broadcastTo(name, round))
          for (const [index, fiber] of heard.entries()) {
            const messages = Array.from(yield* Fiber.join(fiber))
            assert.strictEqual(messages.length, round + 1)
            assert.isTrue(messages.every(({ account }) => account.channel === channelOf(names[index] ?? "")))
          }
          yield* Scope.close(scope, Exit.void)
        }
      }).pipe(Effect.provide(services.pipe(Layer.provideMerge(embedded))))
  )
})
