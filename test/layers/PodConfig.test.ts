import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Shared from "../../layers/internal/Shared.js"
import * as Pod from "../../layers/Pod.js"
import * as PodConfig from "../../layers/PodConfig.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as PayloadStore from "../../services/PayloadStore.js"

const KEY = "supersecretkey99"
const URL = `https://rpc.example/v2/${KEY}?api-key=${KEY}`

const withVariables = (variables: Record<string, string>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries({ POD_RPC_URL: URL, ...variables }))))

const sourceOf = (settings: ReadonlyArray<PodConfig.EffectiveSetting>, name: string) => {
  const { source, value } = settings.find(({ option }) => option === name) ?? {}
  return [value, source]
}

describe("PodConfig: presets", () => {
  it.scoped.each([
    ["defaults", PodConfig.defaults],
    ["performance", PodConfig.performance],
    ["benchmark", PodConfig.benchmark]
  ] as const)("Given the preset %s, When a pool is made from it, Then every value is valid", ([, preset]) =>
    RpcPoolUndici.make({ url: "http://127.0.0.1:1", ...preset })
  )

  it("Given the guide's combinators, When they are applied, Then they set the options and leave others", () => {
    const settings = pipe(
      PodConfig.benchmark,
      PodConfig.withConnectionPoolSize(3),
      PodConfig.withRequestTimeout("4 seconds"),
      PodConfig.withRetryAttempts(3),
      PodConfig.withCacheSize(7),
      PodConfig.withBatchSize(9),
      PodConfig.withHttp2(false),
      PodConfig.withMaxInFlight(11)
    )
    expect(settings).toEqual({
      ...PodConfig.benchmark,
      connections: 3,
      requestTimeout: "4 seconds",
      retry: { maxAttempts: 4 },
      cache: { maxEntries: 7 },
      arraySize: 9,
      http2: false,
      transactions: { maxInFlight: 11 }
    })
    expect(PodConfig.benchmark.connections).toBe(64)
  })

  it("Given several endpoints, When options stand beside the list, Then each endpoint has them and its own win", () => {
    const { endpoints } = Shared.spread({
      endpoints: [{ url: "http://a" }, { url: "http://b", connections: 1 }],
      ...PodConfig.performance
    })
    expect(endpoints).toMatchObject([
      { url: "http://a", connections: 50, arraySize: 10 },
      { url: "http://b", connections: 1, arraySize: 10 }
    ])
  })

  it.effect("Given a bad value beside several endpoints, When the layer is built, Then InvalidInput names it", () =>
    Effect.gen(function* () {
      const layer = Pod.layer({
        endpoints: [{ url: "http://127.0.0.1:1" }, { url: "http://127.0.0.1:2" }],
        startCheck: false,
        ...PodConfig.withConnectionPoolSize(0)({})
      })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.provide(layer, PayloadStore.layerMemory))))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "endpoints[0].connections" })
    })
  )
})

describe("PodConfig: the environment over a preset", () => {
  it.effect("Given variables, When the settings are listed, Then each has its value and source, and no secret", () =>
    Effect.gen(function* () {
      const config = yield* PodConfig.configWith(PodConfig.withBatchSize(20)(PodConfig.performance))
      const settings = yield* PodConfig.effective(
        { ...config, headers: { authorization: `Bearer ${KEY}` } },
        PodConfig.performance
      )
      expect(sourceOf(settings, "url")).toEqual(["rpc.example", "environment"])
      expect(sourceOf(settings, "headers")).toEqual(["<redacted>", "option"])
      expect(sourceOf(settings, "payloads")).toEqual(["<redacted>", "environment"])
      expect(sourceOf(settings, "requestTimeout")).toEqual(["1s 500ms", "environment"])
      expect(sourceOf(settings, "retry.maxAttempts")).toEqual(["2", "environment"])
      expect(sourceOf(settings, "cache.maxEntries")).toEqual(["500", "environment"])
      expect(sourceOf(settings, "connections")).toEqual(["50", "preset"])
      expect(sourceOf(settings, "arraySize")).toEqual(["20", "option"])
      expect(sourceOf(settings, "connectTimeout")).toEqual(["10s", "default"])
      expect(Duration.toMillis(config.requestTimeout ?? 0)).toBe(1500)
      const text = PodConfig.render(settings) + JSON.stringify(settings)
      expect(text).not.toContain(KEY)
    }).pipe(
      Effect.provide(
        withVariables({
          POD_REQUEST_TIMEOUT: "1500",
          POD_RETRY_ATTEMPTS: "2",
          POD_CACHE_ENTRIES: "500",
          POD_PAYLOAD_URL: `https://payloads.example/${KEY}`,
          POD_PAYLOAD_TOKEN: KEY
        })
      )
    )
  )

  it.effect(
    "Given variables that set a default over a preset, When they are listed, Then their source is the environment",
    () =>
      Effect.gen(function* () {
        const preset = { ...PodConfig.performance, startCheck: false }
        const settings = yield* PodConfig.effective(yield* PodConfig.configWith(preset), preset)
        expect(sourceOf(settings, "cache.maxEntries")).toEqual(["no cache", "environment"])
        expect(sourceOf(settings, "startCheck")).toEqual(["true", "environment"])
      }).pipe(Effect.provide(withVariables({ POD_CACHE_ENTRIES: "0", POD_START_CHECK: "true" })))
  )

  it.effect("Given the benchmark preset, When it is listed, Then disabled settings are off", () =>
    Effect.gen(function* () {
      const settings = yield* PodConfig.effective(
        { url: "http://localhost", ...PodConfig.benchmark },
        PodConfig.benchmark
      )
      expect(sourceOf(settings, "retry.maxAttempts")).toEqual(["off", "preset"])
      expect(sourceOf(settings, "startCheck")).toEqual(["false", "preset"])
      expect(sourceOf(settings, "cache.maxEntries")).toEqual(["no cache", "default"])
    }).pipe(Effect.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))))
  )

  it.effect.each<readonly [name: string, value: string]>([
    ["POD_CONNECTIONS", "0"],
    ["POD_CONNECTIONS", "many"],
    ["POD_REQUEST_TIMEOUT", "0"],
    ["POD_REQUEST_TIMEOUT", "soon"],
    ["POD_RETRY_ATTEMPTS", "-1"],
    ["POD_ARRAY_SIZE", "1.5"],
    ["POD_CACHE_ENTRIES", "99999999"],
    ["POD_MAX_IN_FLIGHT", "1e3"]
  ])("Given %s=%s, When the configuration is read, Then a ConfigError names it", ([name, value]) =>
    Effect.map(Effect.either(PodConfig.config).pipe(Effect.provide(withVariables({ [name]: value }))), (result) =>
      expect(String(Either.getOrThrow(Either.flip(result)))).toContain(name)
    )
  )
})
