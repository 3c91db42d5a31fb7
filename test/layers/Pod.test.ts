import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import * as Url from "../../layers/internal/Url.js"
import * as Pod from "../../layers/Pod.js"
import * as PodConfig from "../../layers/PodConfig.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Agent from "../../services/Agent.js"
import * as Cache from "../../services/Cache.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as Channel from "../../services/Channel.js"
import * as Escrow from "../../services/Escrow.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as ProgramId from "../../services/ProgramId.js"
import * as RpcPool from "../../services/RpcPool.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Base64 from "../../src/solana/Base64.js"
import { as, METADATA_URI, registered } from "../support/agents.js"
import { recorder } from "../support/spans.js"
import { secretKeyOf } from "../support/wallets.js"

const RENT = lamports(2_881_440n)
const TEN_SOL = lamports(10_000_000_000n)

const from = (entries: ReadonlyArray<readonly [string, string]>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(entries)))

const shown = (url: string | Redacted.Redacted | undefined) => (Redacted.isRedacted(url) ? Redacted.value(url) : url)

const urlsOf = (config: PodConfig.PodConfig) =>
  ("endpoints" in config ? config.endpoints : [config]).map(({ url, wsUrl }) => [shown(url), shown(wsUrl)])

describe("PodConfig", () => {
  it.effect("Given only a URL, When the settings are read, Then the others have their defaults", () =>
    Effect.gen(function* () {
      const config = yield* PodConfig.config.pipe(from([["POD_RPC_URL", "http://127.0.0.1:8899"]]))
      expect(urlsOf(config)).toEqual([["http://127.0.0.1:8899", undefined]])
      expect(config).toMatchObject({ commitment: "confirmed", programId: PROGRAM_ID, startCheck: true })
    })
  )

  it.effect("Given every setting, When the settings are read, Then each is used", () =>
    Effect.gen(function* () {
      const config = yield* PodConfig.config.pipe(
        from([
          ["POD_RPC_URL", "https://node.example/?api-key=k, https://other.example"],
          ["POD_WS_URL", "wss://node.example/,wss://other.example"],
          ["POD_START_CHECK", "false"],
          ["POD_COMMITMENT", "finalized"],
          ["POD_PROGRAM_ID", Addresses.SYSTEM_PROGRAM]
        ])
      )
      expect(urlsOf(config)).toEqual([
        ["https://node.example/?api-key=k", "wss://node.example/"],
        ["https://other.example", "wss://other.example"]
      ])
      expect(config).toMatchObject({ commitment: "finalized", programId: Addresses.SYSTEM_PROGRAM, startCheck: false })
    })
  )

  it.effect.each([
    ["POD_RPC_URL", []],
    ["POD_RPC_URL", [["POD_RPC_URL", " , "]]],
    ["POD_RPC_URL", [["POD_RPC_URL", "ftp://SECRET"]]],
    ["POD_RPC_URL", [["POD_RPC_URL", "http://a, SECRET"]]],
    ["POD_WS_URL", [["POD_WS_URL", "ws://a,ws://SECRET"]]],
    ["POD_WS_URL", [["POD_WS_URL", "http://SECRET"]]],
    ["POD_COMMITMENT", [["POD_COMMITMENT", "SECRET"]]],
    ["POD_START_CHECK", [["POD_START_CHECK", "SECRET"]]],
    ["POD_PROGRAM_ID", [["POD_PROGRAM_ID", "SECRET"]]]
  ] as const)(
    "Given a bad or missing %s, When read, Then the error names it once, and not the value",
    ([name, entries]) =>
      Effect.gen(function* () {
        const url = name === "POD_RPC_URL" ? [] : [["POD_RPC_URL", "http://127.0.0.1"] as const]
        const error = yield* PodConfig.config.pipe(from([...url, ...entries]), Effect.flip)
        const shown = String(error)
        expect(shown.split(`at ${name}`)).toHaveLength(2)
        expect(shown).toMatch(/Expected|must/)
        expect(shown).not.toContain("SECRET")
        expect(shown).not.toContain("redacted")
      })
  )

  it.effect("Given empty settings, When they are read, Then they count as not set", () =>
    Effect.gen(function* () {
      const empty = ["POD_WS_URL", "POD_COMMITMENT", "POD_PROGRAM_ID", "POD_START_CHECK"].map(
        (name) => [name, " "] as const
      )
      const config = yield* PodConfig.config.pipe(from([["POD_RPC_URL", "http://127.0.0.1\r"], ...empty]))
      expect(urlsOf(config)).toEqual([["http://127.0.0.1", undefined]])
      expect(config).toMatchObject({ commitment: "confirmed", programId: PROGRAM_ID, startCheck: true })
      const missing = yield* PodConfig.config.pipe(from([["POD_RPC_URL", ""]]), Effect.flip)
      expect(String(missing)).toContain("POD_RPC_URL")
      expect(String(yield* WalletNode.config.pipe(from([["POD_WALLET", ""]]), Effect.flip))).toContain("POD_WALLET")
    })
  )

  it.effect("Given lists with a trailing comma, line breaks and names of clusters, When read, Then all are URLs", () =>
    Effect.gen(function* () {
      const config = yield* PodConfig.config.pipe(
        from([["POD_RPC_URL", "devnet,\r\n testnet,mainnet-beta,localhost,\r\n"]])
      )
      const hosts = urlsOf(config).map(([url = ""]) => Either.getOrThrow(Url.make({ url: Redacted.make(url) })).host)
      expect(hosts).toEqual([
        "api.devnet.solana.com",
        "api.testnet.solana.com",
        "api.mainnet-beta.solana.com",
        "localhost:8899"
      ])
    })
  )
})

const build = (entries: ReadonlyArray<readonly [string, string]>) =>
  Layer.build(Layer.provide(Pod.layerConfig, PayloadStore.layerMemory)).pipe(from(entries), Effect.scoped)

describe("Pod.layerConfig", () => {
  it.effect("Given a URL and no check, When the layer is built, Then the services exist without a connection", () =>
    build([
      ["POD_RPC_URL", "http://127.0.0.1:1"],
      ["POD_START_CHECK", "false"],
      ["POD_WALLET", JSON.stringify(Array.from(secretKeyOf(1)))]
    ])
  )

  it.live("Given a URL that nobody serves, When the layer is built, Then the error names host and cause", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        build([
          ["POD_RPC_URL", "http://127.0.0.1:1/SECRET"],
          ["POD_WALLET", JSON.stringify(Array.from(secretKeyOf(1)))]
        ])
      )
      expect(error).toMatchObject({ _tag: "EndpointsError", reason: "Unreachable", host: "127.0.0.1:1" })
      expect(error.message).toContain("ECONNREFUSED")
      expect(inspect(error, { depth: 9 })).not.toContain("SECRET")
    })
  )

  it.effect("Given no wallet or an invalid URL, When the layer is built, Then the error names it", () =>
    Effect.gen(function* () {
      const noWallet = yield* Effect.flip(build([["POD_RPC_URL", "http://127.0.0.1:1"]]))
      expect(String(noWallet)).toContain("POD_WALLET")
      const wallet = ["POD_WALLET", JSON.stringify(Array.from(secretKeyOf(1)))] as const
      const noUrl = yield* Effect.flip(build([["POD_RPC_URL", "ftp://node"], wallet]))
      expect(String(noUrl)).toContain("POD_RPC_URL")
    })
  )
})

describe("Pod.layerServices", () => {
  it.effect("Given another program id, When an agent is read, Then its address and owner follow from that id", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const error = yield* Effect.flip(agents.get((yield* WalletNode.generate).address))
      expect(error._tag).toBe("AccountNotFound")
      expect(yield* RpcPool.calls("getAccountInfo")).toBe(1)
    }).pipe(
      Effect.provide(
        Pod.layerServices().pipe(
          Layer.provideMerge(
            RpcPool.layerTest({
              getAccountInfo: (address) =>
                Effect.succeed({
                  slot: 1n,
                  value: Option.some({
                    address,
                    data: new Uint8Array(286),
                    lamports: RENT,
                    owner: PROGRAM_ID,
                    executable: false,
                    space: 286n
                  })
                })
            })
          ),
          Layer.provide(PayloadStore.layerMemory),
          Layer.provide(ProgramId.layer(Addresses.SYSTEM_PROGRAM))
        )
      )
    )
  )
})

/** Everything that two agents do, refusals included. */
const story = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const channels = yield* Channel.Channel
  const escrows = yield* Escrow.Escrow
  const messages = yield* Message.Message
  const alice = yield* WalletNode.fromSecretKey(Redacted.make(secretKeyOf(1)))
  const bob = yield* WalletNode.fromSecretKey(Redacted.make(secretKeyOf(2)))
  const rpc = yield* RpcPool.RpcPool
  for (const { address } of [alice, bob]) yield* rpc.requestAirdrop(address, TEN_SOL)
  const register = agents.register({ metadataUri: METADATA_URI })
  yield* register.pipe(as(alice))
  yield* register.pipe(as(bob))
  const again = yield* register.pipe(as(bob), Effect.flip)
  expect(again).toMatchObject({ _tag: "ProgramError", reason: "AlreadyRegistered" })

  const heard = yield* messages
    .inbox(bob.address, { follow: true })
    .pipe(Stream.take(2), Stream.runCollect, Effect.fork)
  yield* messages.send({ recipient: bob.address, payload: "first" }).pipe(as(alice))
  yield* messages.send({ recipient: bob.address, payload: "second" }).pipe(as(alice))
  const received = Chunk.toReadonlyArray(yield* Fiber.join(heard))
  const payloads = yield* Effect.forEach(received, (message) => messages.payload(message))
  expect(payloads.map((bytes) => new TextDecoder().decode(bytes)).toSorted()).toEqual(["first", "second"])
  for (const message of received) yield* messages.markDelivered(message).pipe(as(bob))

  const { address } = yield* channels.create({ name: "paid", feePerMessage: 1000n }).pipe(as(alice))
  expect(yield* channels.join(address).pipe(as(bob), Effect.flip)).toMatchObject({ reason: "InsufficientFunds" })
  yield* escrows.deposit(address, 1000n).pipe(as(bob))
  yield* channels.join(address).pipe(as(bob))
  yield* channels.broadcast(address, { content: "in the channel" }).pipe(as(bob))
  expect(yield* Stream.runCount(channels.messages(address))).toBe(1)
})

describe("Pod.layer", () => {
  it.scopedLive("Given a served cluster, When two agents talk over HTTP and WebSocket, Then all messages arrive", () =>
    Effect.gen(function* () {
      const { url, wsUrl } = yield* Server.serve()
      yield* story.pipe(
        Effect.provide(
          Pod.layer({ url: Redacted.make(url), wsUrl: Redacted.make(wsUrl) }).pipe(
            Layer.provide(PayloadStore.layerMemory)
          )
        )
      )
    }).pipe(Effect.provide(EmbeddedCluster.layer()))
  )

  it.scopedLive(
    "Given a cache, as options or as a layer, When an agent is read again, Then no call is made for it",
    () =>
      Effect.gen(function* () {
        const { url, wsUrl } = yield* Server.serve()
        const endpoint = { url: Redacted.make(url), wsUrl: Redacted.make(wsUrl) }
        const twoLevels = Cache.layer().pipe(Layer.provide(CacheStore.layerMemory()))
        const pods = [
          Pod.layer({ ...endpoint, cache: {} }),
          Pod.layer({ ...endpoint, cache: twoLevels }),
          Pod.layer({ ...endpoint, cache: {}, invalidator: {} })
        ]
        for (const pod of pods) {
          yield* Effect.gen(function* () {
            const { agent } = yield* registered
            const agents = yield* Agent.Agent
            const cache = yield* Cache.Cache
            yield* agents.get(agent)
            yield* agents.get(agent)
            expect(yield* cache.stats).toMatchObject({ network: 1, memory: 1 })
          }).pipe(Effect.provide(Layer.provideMerge(TestWallets.layer, Layer.provide(pod, PayloadStore.layerMemory))))
        }
      }).pipe(Effect.provide(EmbeddedCluster.layer()))
  )

  it.scopedLive("Given a cluster without the program, When built, Then the error names host and program", () =>
    Effect.gen(function* () {
      const { url, port } = yield* Server.serve()
      const error = yield* Effect.flip(
        Layer.build(
          Layer.provide(
            Pod.layer({ url: Redacted.make(url), programId: Addresses.fromBytes(new Uint8Array(32).fill(7)) }),
            PayloadStore.layerMemory
          )
        )
      )
      expect(error).toMatchObject({ _tag: "EndpointsError", reason: "NoProgram", host: `127.0.0.1:${port}` })
    }).pipe(Effect.provide(EmbeddedCluster.layer()))
  )

  it.scopedLive("Given secrets in keys and URLs, When a whole run is traced, Then no span contains them", () =>
    Effect.gen(function* () {
      const { spans, layer } = recorder()
      const { url, wsUrl } = yield* Server.serve()
      const apiKey = "s3cr3t-api-key"
      yield* story.pipe(
        Effect.provide(
          Pod.layer({
            url: Redacted.make(`${url}/?api-key=${apiKey}`),
            wsUrl: Redacted.make(`${wsUrl}/?api-key=${apiKey}`)
          }).pipe(Layer.provide(PayloadStore.layerMemory))
        ),
        Effect.provide(layer)
      )

      const told = spans.map(({ attributes, events, failure, name }) =>
        [name, show([...attributes]), show(events), failure ?? ""].join("\n")
      )
      expect(told.some((text) => text.includes("127.0.0.1"))).toBe(true)
      for (const secret of [apiKey, ...[1, 2].flatMap((seed) => formsOf(secretKeyOf(seed).subarray(0, 32)))]) {
        expect(told.filter((text) => text.includes(secret))).toEqual([])
      }

      const names = new Set(spans.map(({ name }) => name))
      for (const name of [
        "Agent.register",
        "Message.send",
        "Message.inbox",
        "Message.payload",
        "Message.markDelivered",
        "Channel.create",
        "Channel.join",
        "Channel.broadcast",
        "Channel.messages",
        "Escrow.deposit",
        "Transactions.send",
        "sendTransaction"
      ]) {
        expect(names).toContain(name)
      }
      expect(spans.filter(({ name }) => name === "Agent.register")).toHaveLength(3)
      expect(spans.find(({ name }) => name === "Agent.register")?.attributes.has("pod.agent")).toBe(true)
      expect(spans.find(({ name }) => name === "Transactions.send")?.parent).toBe("Agent.register")
    }).pipe(Effect.provide(EmbeddedCluster.layer()))
  )
})

/** The ways in which bytes get into a text. */
const formsOf = (secret: Uint8Array): ReadonlyArray<string> => [
  Base58.encode(secret),
  Base64.encode(secret).slice(0, 40),
  Buffer.from(secret).toString("hex"),
  Array.from(secret).join(","),
  Array.from(secret).join(", ")
]

const show = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return part.toString()
    return part instanceof Uint8Array ? formsOf(part) : part
  })

describe("Pod.layerTest", () => {
  it.effect("Given wallets of the test, When their balances are read, Then they are as configured", () =>
    Effect.gen(function* () {
      const rpc = yield* RpcPool.RpcPool
      const wallets = yield* TestWallets.TestWallets
      const rich = yield* TestWallets.funded
      const poor = yield* wallets.fundedWith(0n)
      const some = yield* wallets.fundedWith(1_000_000n)
      const balances = yield* Effect.forEach([rich, poor, some], ({ address }) =>
        Effect.map(rpc.getBalance(address), ({ value }) => value)
      )
      expect(balances).toEqual([10_000_000_000n, 0n, 1_000_000n])
      expect(new Set([rich, poor, some].map(({ address }) => address)).size).toBe(3)
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.effect("Given two tests with a layer each, When one registers an agent, Then the other does not see it", () =>
    Effect.gen(function* () {
      const { agent } = yield* registered.pipe(Effect.provide(Pod.layerTest))
      const exists = Effect.flatMap(Agent.Agent, (agents) => agents.exists(agent))
      expect(yield* Effect.provide(exists, Pod.layerTest)).toBe(false)
    })
  )
})
