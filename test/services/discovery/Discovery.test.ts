import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Pod from "../../../layers/Pod.js"
import * as TestWallets from "../../../layers/TestWallets.js"
import * as Agent from "../../../services/Agent.js"
import * as Channel from "../../../services/Channel.js"
import * as Discovery from "../../../services/Discovery.js"
import * as Message from "../../../services/Message.js"
import * as ProtocolEvents from "../../../services/ProtocolEvents.js"
import { RpcPool } from "../../../services/RpcPool.js"
import * as Capabilities from "../../../src/protocol/Capabilities.js"
import * as MessageType from "../../../src/protocol/MessageType.js"
import * as Addresses from "../../../src/solana/Address.js"
import { as } from "../../support/agents.js"
import { eventually } from "../../support/eventually.js"

const { encode } = Capabilities.sdk

const register = (names: ReadonlyArray<keyof typeof Capabilities.sdk.bits>, path: string) =>
  Effect.gen(function* () {
    const agents = yield* Agent.Agent
    const wallet = yield* TestWallets.funded
    const capabilities = yield* encode(names)
    const { address } = yield* agents
      .register({ capabilities, metadataUri: `https://agents.example/${path}` })
      .pipe(as(wallet))
    return { wallet, address }
  })

/** Counts the reads of accounts, which a search must not make. */
const counted = (calls: { count: number }) =>
  Layer.effect(
    RpcPool,
    Effect.map(RpcPool, (pool) => ({
      ...pool,
      getProgramAccounts: (...args: Parameters<typeof pool.getProgramAccounts>) =>
        Effect.zipRight(
          Effect.sync(() => calls.count++),
          pool.getProgramAccounts(...args)
        ),
      getMultipleAccounts: (...args: Parameters<typeof pool.getMultipleAccounts>) =>
        Effect.zipRight(
          Effect.sync(() => calls.count++),
          pool.getMultipleAccounts(...args)
        )
    }))
  )

const discovery = (calls = { count: 0 }, options?: Discovery.Options) =>
  Discovery.layer(options).pipe(
    Layer.provide(ProtocolEvents.layer({ pollInterval: "30 millis" })),
    Layer.provide(counted(calls))
  )

describe("Discovery", () => {
  it.live(
    "Given agents before and after the layer is built, When they are searched, Then all are found by their fields",
    () =>
      Effect.gen(function* () {
        const ada = yield* register(["TRADING", "ANALYSIS"], "ada/trader.json")
        const bo = yield* register(["ANALYSIS"], "bo/painter.json")
        const calls = { count: 0 }
        yield* Effect.gen(function* () {
          const { agents, asOf, counts, similar } = yield* Discovery.Discovery
          const size = Effect.map(counts, (counts) => counts.agents)
          const before = yield* asOf
          assert.strictEqual(yield* size, 2)
          const cy = yield* register(["TRADING"], "cy/trader.json")
          yield* eventually(size, (count) => count === 3)
          assert.isAbove(Number(yield* asOf), Number(before))

          const reads = calls.count
          const found = (query: Discovery.AgentQuery) =>
            Effect.map(agents(query), ({ items }) => items.map(({ address }) => address))
          const { ANALYSIS, TRADING } = Capabilities.sdk.bits
          assert.sameMembers(yield* found({ all: TRADING }), [ada.address, cy.address])
          assert.deepStrictEqual(yield* found({ all: TRADING | ANALYSIS }), [ada.address])
          assert.sameMembers(yield* found({ any: ANALYSIS }), [ada.address, bo.address])
          assert.deepStrictEqual(yield* found({ text: "PAINT bo" }), [bo.address])
          assert.deepStrictEqual(yield* found({ minReputation: 101n }), [])
          assert.deepStrictEqual(yield* found({ activeSince: 2n ** 62n }), [])
          // Pages and counts can be written as JSON.
          const page = yield* agents({ limit: 1 })
          assert.strictEqual(JSON.parse(JSON.stringify(page)).asOf, String(page.asOf))
          assert.strictEqual(JSON.parse(JSON.stringify(yield* counts)).escrows.lamports, "0")
          const resembling = yield* similar(ada.wallet.address)
          assert.deepStrictEqual(
            resembling.items.map(({ address, score }) => [address, score]),
            [
              // One of two capabilities, and "agents", "example", "json" and "trader" of six words.
              [cy.address, 0.55],
              // One of two capabilities, and "agents", "example" and "json" of seven words.
              [bo.address, 0.478571]
            ]
          )
          assert.strictEqual(calls.count, reads)
        }).pipe(Effect.provide(discovery(calls)))
      }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )

  it.live("Given an agent that changes, When it is searched, Then it is found by what it is now", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const { address, wallet } = yield* register(["TRADING"], "ada.json")
      yield* Effect.gen(function* () {
        const search = yield* Discovery.Discovery
        yield* agents.update({ capabilities: 8n, metadataUri: "https://agents.example/writer" }).pipe(as(wallet))
        const now = yield* eventually(search.agents({ text: "writer" }), ({ items }) => items.length > 0)
        assert.deepStrictEqual(
          now.items.map((item) => [item.address, item.account.capabilities]),
          [[address, 8n]]
        )
        assert.deepStrictEqual((yield* search.agents({ all: 1n })).items, [])
        assert.deepStrictEqual((yield* search.agents({ text: "ada" })).items, [])
      }).pipe(Effect.provide(discovery()))
    }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )

  it.live(
    "Given an agent that invites another, When it is searched, Then its count of invitations is that of now",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const { wallet } = yield* register(["TRADING"], "host.json")
        const guest = yield* TestWallets.funded
        const { address: channel } = yield* channels.create({ name: "room", visibility: "Private" }).pipe(as(wallet))
        yield* Effect.gen(function* () {
          const search = yield* Discovery.Discovery
          yield* channels.invite(channel, guest.address).pipe(as(wallet))
          const { items } = yield* eventually(search.agents(), ({ items }) => items[0]?.account.invitesSent !== 0)
          assert.strictEqual(items[0]?.account.invitesSent, 1)
        }).pipe(Effect.provide(discovery()))
      }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )

  it.live(
    "Given more agents than a page holds, When pages are read, Then each agent comes once, and the last page ends",
    () =>
      Effect.gen(function* () {
        const made = yield* Effect.replicateEffect(register(["ANALYSIS"], "x.json"), 7)
        yield* Effect.gen(function* () {
          const { agents } = yield* Discovery.Discovery
          for (const sort of ["reputation", "recent"] as const) {
            const seen: Array<string> = []
            let cursor: string | undefined
            do {
              const page = yield* agents({ sort, limit: 3, cursor })
              seen.push(...page.items.map(({ address }) => address))
              cursor = Option.getOrUndefined(page.next)
            } while (cursor !== undefined)
            assert.sameMembers(
              seen,
              made.map(({ address }) => address)
            )
            assert.strictEqual(seen.length, 7)
          }
        }).pipe(Effect.provide(discovery()))
      }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )

  it.live("Given input out of its range, When it is searched, Then the error names the field", () =>
    Effect.gen(function* () {
      const { agents, similar } = yield* Discovery.Discovery
      const refused = (query: Discovery.AgentQuery) => Effect.map(Effect.flip(agents(query)), ({ field }) => field)
      assert.deepStrictEqual(
        yield* Effect.all([
          refused({ limit: 0 }),
          refused({ limit: 1001 }),
          refused({ all: -1n }),
          refused({ any: 2n ** 64n }),
          refused({ minReputation: 2n, maxReputation: 1n }),
          refused({ cursor: "recent/5/11111111111111111111111111111111" }),
          refused({ cursor: "reputation/x/y" }),
          refused({ cursor: "" })
        ]),
        ["limit", "limit", "all", "any", "maxReputation", "cursor", "cursor", "cursor"]
      )
      const unknown = yield* Effect.flip(similar(Addresses.SYSTEM_PROGRAM))
      assert.strictEqual(unknown._tag, "AccountNotFound")
    }).pipe(Effect.provide(discovery()), Effect.provide(Pod.layerTest))
  )

  it.live(
    "Given channels and messages, When they are searched, Then each is found by its fields, and recommended to whom it fits",
    () =>
      Effect.gen(function* () {
        const channels = yield* Channel.Channel
        const messages = yield* Message.Message
        const ada = yield* register(["TRADING", "ANALYSIS"], "ada/trader.json")
        const bo = yield* register(["TRADING"], "bo/trader.json")
        const cy = yield* register(["TRADING"], "cy/painter.json")
        yield* Effect.gen(function* () {
          const search = yield* Discovery.Discovery
          const open = yield* channels
            .create({ name: "trader floor", description: "prices", maxParticipants: 2 })
            .pipe(as(bo.wallet))
          const closed = yield* channels.create({ name: "council", visibility: "Private" }).pipe(as(bo.wallet))
          const letter = yield* messages.send({ recipient: bo.wallet.address, payload: "Hello" }).pipe(as(ada.wallet))
          const said = yield* channels.broadcast(open.address, { content: "Silver rises" }).pipe(as(bo.wallet))
          yield* eventually(search.counts, ({ messages }) => messages.direct + messages.broadcast === 2)

          const channelsOf = (query: Discovery.ChannelQuery) =>
            Effect.map(search.channels(query), ({ items }) => items.map(({ address }) => address))
          assert.sameMembers(yield* channelsOf({ creator: bo.wallet.address }), [open.address, closed.address])
          assert.deepStrictEqual(yield* channelsOf({ visibility: "Public", active: true, hasRoom: true }), [
            open.address
          ])
          assert.deepStrictEqual(yield* channelsOf({ text: "price floor" }), [open.address])
          assert.deepStrictEqual(yield* channelsOf({ minParticipants: 2n }), [])
          assert.lengthOf(yield* channelsOf({ maxFee: 0n, sort: "recent" }), 2)

          const messagesOf = (query: Discovery.MessageQuery) =>
            Effect.map(search.messages(query), ({ items }) => items.map(({ address }) => address))
          assert.deepStrictEqual(yield* messagesOf({ sender: ada.wallet.address, status: "Pending" }), [letter.address])
          assert.deepStrictEqual(yield* messagesOf({ recipient: bo.wallet.address }), [letter.address])
          assert.deepStrictEqual(yield* messagesOf({ channel: open.address, text: "silv" }), [said.address])
          assert.deepStrictEqual(yield* messagesOf({ kind: "direct", type: MessageType.Data }), [])
          assert.deepStrictEqual(yield* messagesOf({ until: 0n }), [])

          const recommended = yield* search.recommendAgents(ada.wallet.address)
          // Bo is a contact. Cy shares one of two capabilities, and three words of seven.
          assert.deepStrictEqual(
            recommended.items.map(({ address }) => address),
            [cy.address]
          )
          assert.closeTo(recommended.items[0]?.score ?? 0, 0.6 * 0.478571 + 0.2 + 0.2, 0.001)
          const toJoin = yield* search.recommendChannels(ada.wallet.address)
          assert.deepStrictEqual(
            toJoin.items.map(({ address }) => address),
            [open.address]
          )
          assert.deepStrictEqual((yield* search.recommendChannels(bo.wallet.address)).items, [])

          // What changes is found by what it is now: full, and joined.
          yield* channels.join(open.address).pipe(as(ada.wallet))
          yield* eventually(search.counts, ({ memberships }) => memberships === 3)
          assert.deepStrictEqual(yield* channelsOf({ visibility: "Public", hasRoom: true }), [])
          assert.deepStrictEqual((yield* search.recommendChannels(cy.wallet.address)).items, [])
          assert.deepStrictEqual((yield* search.counts).channels, { total: 2, active: 2, public: 1, private: 1 })
        }).pipe(Effect.provide(discovery()))
      }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )

  it.live("Given scores of many agents, When pages are read, Then each agent comes once, the best first", () =>
    Effect.gen(function* () {
      const ada = yield* register(["ANALYSIS"], "ada.json")
      yield* Effect.replicateEffect(register(["ANALYSIS"], "x.json"), 5)
      yield* Effect.gen(function* () {
        const { recommendAgents, similar } = yield* Discovery.Discovery
        for (const list of [similar, recommendAgents]) {
          const seen: Array<Discovery.Scored<unknown>> = []
          let cursor: string | undefined
          do {
            const page = yield* list(ada.wallet.address, { limit: 2, cursor })
            seen.push(...page.items)
            cursor = Option.getOrUndefined(page.next)
          } while (cursor !== undefined)
          assert.strictEqual(new Set(seen.map(({ address }) => address)).size, 5)
          assert.deepStrictEqual(
            seen,
            seen.toSorted((a, b) => b.score - a.score || (a.address < b.address ? -1 : 1))
          )
        }
      }).pipe(Effect.provide(discovery(undefined, { kinds: ["agents"] })))
    }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )

  it.live("Given a layer for agents alone, When channels or messages are searched, Then the error says so", () =>
    Effect.gen(function* () {
      const { channels, messages } = yield* Discovery.Discovery
      assert.strictEqual((yield* Effect.flip(channels())).field, "kinds")
      assert.strictEqual((yield* Effect.flip(messages())).field, "kinds")
      const options = [{ kinds: [] }, { maxEntries: 0 }, { maxEntries: Number.NaN }]
      const refused = yield* Effect.forEach(options, (given) => Effect.flip(Effect.scoped(Discovery.make(given))))
      assert.deepStrictEqual(
        refused.map((error) => error._tag === "InvalidInput" && error.field),
        ["kinds", "maxEntries", "maxEntries"]
      )
    }).pipe(
      Effect.provide(discovery(undefined, { kinds: ["agents"] })),
      Effect.provide(ProtocolEvents.layer()),
      Effect.provide(Pod.layerTest)
    )
  )

  it.live("Given more agents than the index holds, When it is built, Then the newest are kept", () =>
    Effect.gen(function* () {
      yield* Effect.replicateEffect(register([], "x.json"), 4)
      const { counts } = yield* Effect.provide(Discovery.Discovery, discovery(undefined, { maxEntries: 3 }))
      assert.strictEqual((yield* counts).agents, 3)
    }).pipe(Effect.provide(Pod.layerTest), Effect.scoped)
  )
})
