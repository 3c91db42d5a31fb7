import type { FileSystem } from "@effect/platform/FileSystem"
import type { HttpClient } from "@effect/platform/HttpClient"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import type { RpcPoolHttpClient, TestWallets, Wallet } from "@pod-protocol/effect"
import {
  Agent,
  Cache,
  type CacheInvalidator,
  type CacheStore,
  CacheStoreSqlite,
  Channel,
  DurableNonce,
  EmbeddedCluster,
  type EndpointsError,
  Escrow,
  type InvalidInput,
  Journal,
  Message,
  PayloadStore,
  Pod,
  ProgramId,
  type ProtocolEvents,
  RpcPool,
  RpcPoolEmbedded,
  type RpcTransport,
  RpcPoolUndici,
  Transactions,
  WalletNode
} from "@pod-protocol/effect"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { describe, expect, test } from "tstyche"

type Nouns =
  | Agent.Agent
  | Channel.Channel
  | DurableNonce.DurableNonce
  | Escrow.Escrow
  | Message.Message
  | Transactions.Transactions

describe("the constructor of a noun", () => {
  test("needs the pool and the transactions, and cannot fail", () => {
    expect(Agent.make).type.toBe<Effect.Effect<Agent.Service, never, RpcPool.RpcPool | Transactions.Transactions>>()
    expect(Channel.make).type.toBe<Effect.Effect<Channel.Service, never, RpcPool.RpcPool | Transactions.Transactions>>()
    expect(Escrow.make).type.toBe<Effect.Effect<Escrow.Service, never, RpcPool.RpcPool | Transactions.Transactions>>()
    expect(DurableNonce.make).type.toBe<
      Effect.Effect<DurableNonce.Service, never, RpcPool.RpcPool | Transactions.Transactions>
    >()
  })

  test("of messages needs a payload store as well", () => {
    expect(Message.make).type.toBe<
      Effect.Effect<
        Message.Service,
        never,
        PayloadStore.PayloadStore | RpcPool.RpcPool | Scope.Scope | Transactions.Transactions
      >
    >()
  })
})

describe("the layer of all services", () => {
  test("has a cache where one is asked for, with the failures of its layer", () => {
    const url = "http://127.0.0.1:8899"
    expect(Pod.layer({ url })).type.toBe<
      Layer.Layer<RpcPool.RpcPool | Nouns, EndpointsError | InvalidInput, PayloadStore.PayloadStore>
    >()
    expect(Pod.layer({ url, cache: { maxEntries: 10 } })).type.toBe<
      Layer.Layer<Cache.Cache | RpcPool.RpcPool | Nouns, EndpointsError | InvalidInput, PayloadStore.PayloadStore>
    >()
    expect(Pod.layer({ url, cache: {}, invalidator: {} })).type.toBe<
      Layer.Layer<
        Cache.Cache | CacheInvalidator.CacheInvalidator | Nouns | ProtocolEvents.ProtocolEvents | RpcPool.RpcPool,
        EndpointsError | InvalidInput,
        PayloadStore.PayloadStore
      >
    >()
    const cache = Layer.provide(Cache.layer(), CacheStoreSqlite.layer({ directory: "cache" }))
    expect(Pod.layer({ url, cache })).type.toBe<
      Layer.Layer<
        Cache.Cache | RpcPool.RpcPool | Nouns,
        CacheStore.CacheError | EndpointsError | InvalidInput | RpcTransport.RpcError,
        PayloadStore.PayloadStore
      >
    >()
  })
})

describe("a constructor with options", () => {
  test("refuses them as InvalidInput and belongs to a scope", () => {
    expect(Transactions.make()).type.toBeAssignableTo<
      Effect.Effect<Transactions.Service, InvalidInput, RpcPool.RpcPool | Scope.Scope>
    >()
    expect(EmbeddedCluster.make()).type.toBe<
      Effect.Effect<EmbeddedCluster.Service, EmbeddedCluster.EmbeddedClusterError | InvalidInput, Scope.Scope>
    >()
  })
})

describe("the layers of a service", () => {
  test("name what they need", () => {
    expect(Transactions.layer()).type.toBe<Layer.Layer<Transactions.Transactions, InvalidInput, RpcPool.RpcPool>>()
    expect(PayloadStore.layerMemory).type.toBe<Layer.Layer<PayloadStore.PayloadStore>>()
    expect(PayloadStore.layerKeyValueStore).type.toBe<Layer.Layer<PayloadStore.PayloadStore, never, KeyValueStore>>()
    expect(Journal.layerKeyValueStore()).type.toBe<
      Layer.Layer<Journal.Journal, InvalidInput | Journal.JournalError, KeyValueStore>
    >()
    expect(Journal.layerFileSystem("journal")).type.toBe<
      Layer.Layer<Journal.Journal, InvalidInput | Journal.JournalError, FileSystem>
    >()
    expect(RpcPoolEmbedded.layer).type.toBe<Layer.Layer<RpcPool.RpcPool, never, EmbeddedCluster.EmbeddedCluster>>()
  })

  test("over a network say which endpoints were refused", () => {
    expect(RpcPoolUndici.layerConfig({ url: Config.redacted("URL") })).type.toBe<
      Layer.Layer<RpcPool.RpcPool, ConfigError.ConfigError | EndpointsError | InvalidInput>
    >()
    expect<Layer.Layer.Context<ReturnType<typeof RpcPoolHttpClient.layer>>>().type.toBeAssignableFrom<HttpClient>()
  })

  test("of a test need nothing and cannot fail", () => {
    expect(Agent.layerTest({})).type.toBe<Layer.Layer<Agent.Agent>>()
    expect(RpcPool.layerTest({})).type.toBe<Layer.Layer<RpcPool.RpcPool>>()
    expect(Pod.layerTest).type.toBeAssignableTo<
      Layer.Layer<
        EmbeddedCluster.EmbeddedCluster | Nouns | PayloadStore.PayloadStore | RpcPool.RpcPool | TestWallets.TestWallets
      >
    >()
  })
})

describe("the presets", () => {
  test("leave the payload store open", () => {
    expect(Pod.layerConfig).type.toBe<
      Layer.Layer<
        Nouns | RpcPool.RpcPool | Wallet.Wallet,
        ConfigError.ConfigError | EndpointsError | InvalidInput | Wallet.WalletError,
        PayloadStore.PayloadStore
      >
    >()
    expect<Layer.Layer.Context<ReturnType<typeof Pod.layer>>>().type.toBe<PayloadStore.PayloadStore>()
  })

  test("compose to a layer that needs nothing", () => {
    const app = Pod.layerServices().pipe(
      Layer.provide([RpcPool.layerTest({}), PayloadStore.layerMemory, ProgramId.layer(WELL_KNOWN)])
    )
    expect(app).type.toBe<Layer.Layer<Nouns, InvalidInput>>()
  })

  test("do not run without what they leave open", () => {
    expect(Pod.layerServices()).type.not.toBeAssignableTo<Layer.Layer<Nouns, InvalidInput>>()
  })
})

declare const WELL_KNOWN: Parameters<typeof ProgramId.layer>[0]

describe("wallets", () => {
  test("fail with InvalidInput for bytes and with WalletError for files", () => {
    expect(WalletNode.layerFile("id.json")).type.toBe<Layer.Layer<Wallet.Wallet, Wallet.WalletError>>()
    expect(WalletNode.layerGenerated).type.toBe<Layer.Layer<Wallet.Wallet>>()
    expect<Layer.Layer.Error<ReturnType<typeof WalletNode.layerSecretKey>>>().type.toBe<
      InvalidInput | Wallet.WalletError
    >()
  })
})
