/**
 * The rules of imports: they run down, rooms are private, and there is no cycle. Type-only imports count.
 * `npm run architecture` checks them. ARCHITECTURE.md explains them.
 */
import type { IForbiddenRuleType, ICruiseOptions } from "dependency-cruiser"

/** Only the files that a room serves may import from it. */
const room = (folder: string, ...users: ReadonlyArray<string>): IForbiddenRuleType => ({
  name: `private room ${folder}`,
  severity: "error",
  from: {
    path: "^(index|src|services|layers|examples)",
    pathNot: [`^${folder}/`, ...users.map((user) => `^${user}`)]
  },
  to: { path: `^${folder}/` }
})

const never = (name: string, from: string, to: string): IForbiddenRuleType => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: to }
})

export const forbidden: ReadonlyArray<IForbiddenRuleType> = [
  never("imports run down: src", "^src/", "^(index|services/|layers/|test/|bench/|examples/|scripts/)"),
  never("imports run down: services", "^services/", "^(index|layers/|test/|bench/|examples/|scripts/)"),
  never("imports run down: layers", "^layers/", "^(index|test/|bench/|examples/|scripts/)"),
  never("imports run down: index", "^index", "^(test/|bench/|examples/|scripts/)"),

  room("src/protocol/(internal|instruction|protocolEvent)", "src/protocol/"),
  room("src/observe/benchmark", "src/observe/Benchmark(Page|Report|Text).ts"),
  room("src/observe/metrictable", "src/observe/MetricTable.ts"),
  room("src/observe/flamegraph", "src/observe/(Flamegraph|ProfilePage).ts"),
  room("src/reputation/internal", "src/reputation/"),
  room("src/solana/internal", "src/solana/"),
  room("src/concurrent/internal", "src/concurrent/", "layers/threads/"),
  room("services/analytics", "services/Analytics.ts"),
  room("services/benchmark", "services/Benchmark.ts"),
  room("services/cache", "services/Cache.ts"),
  room("services/cacheinvalidator", "services/CacheInvalidator.ts"),
  room("services/cachestore", "services/CacheStore.ts"),
  room("services/discovery", "services/Discovery.ts"),
  room("services/channel", "services/Channel.ts"),
  room("services/fiberconsole", "services/FiberConsole.ts"),
  room("services/follow", "services/Follow.ts"),
  room("services/memory", "services/MemoryMonitor.ts"),
  room("services/message", "services/Message.ts"),
  room("services/metadata", "services/Metadata.ts", "layers/MetadataNode.ts"),
  room("services/metrics", "services/Metrics.ts"),
  room(
    "services/program",
    "services/(Agent|Channel|Discovery|DurableNonce|Escrow|Message|PublishedKeys|SealedChannel).ts",
    "services/(channel|discovery|message|sealedchannel)/"
  ),
  room("services/payloadstore", "services/PayloadStore.ts"),
  room("services/profiler", "services/Profiler.ts"),
  room("services/protocolEvents", "services/ProtocolEvents.ts"),
  room("services/sealedchannel", "services/SealedChannel.ts"),
  room("services/rpc", "services/(RpcPool|LongResult).ts"),
  room("services/transactions", "services/(Transactions|DurableNonce).ts"),
  room("services/transport", "services/Resilience.ts", "layers/RpcPool(Undici|HttpClient).ts"),
  room(
    "services/wire",
    "services/transport/",
    "layers/(RpcPoolUndici|RpcPoolHttpClient|undici/|platform/|otlp/|internal/)"
  ),
  room("services/internal", "services/", "layers/"),
  room("layers/cluster", "layers/AgentCluster.ts"),
  room("layers/embedded", "layers/(EmbeddedCluster|EmbeddedServer|RpcPoolEmbedded).ts"),
  room("layers/otlp", "layers/TelemetryOtlp.ts"),
  room("layers/fiberconsole", "layers/FiberConsoleNode.ts"),
  room("layers/payloads", "layers/Payload(Server|StoreHttp|StoreS3|StoreUndici).ts"),
  room("layers/platform", "layers/RpcPoolHttpClient.ts"),
  room("layers/podconfig", "layers/PodConfig.ts"),
  room("layers/profiler", "layers/ProfilerNode.ts"),
  room("layers/prometheus", "layers/PrometheusServer.ts"),
  room("layers/threads", "layers/WorkerPoolThreads.ts"),
  room("layers/tasks", "layers/SealingThreads.ts", "layers/WalletThreads.ts"),
  room("layers/undici", "layers/RpcPoolUndici.ts"),
  room("layers/internal", "layers/"),

  never("src/internal is ground", "^src/internal/", "^src/(?!internal/|\\w+\\.ts$)"),
  never(
    "services/internal is ground",
    "^services/internal/",
    "^services/(?!internal/|Metrics.ts|RpcTransport.ts|Telemetry.ts)"
  ),
  never(
    "transports know nothing of Solana's methods",
    "^services/(wire|transport)/",
    "^services/(rpc/|RpcPool.ts|Follow.ts|follow/|Transactions.ts|transactions/|program/)"
  ),
  never(
    "no noun below Transactions",
    "^services/(Transactions.ts|transactions/)",
    "^services/(Agent|Channel|Escrow|Message|DurableNonce|message/|program/)"
  ),

  never("services are platform-neutral", "^(src|services)/", "^(node:|undici|litesvm|@effect/platform-node)"),
  {
    name: "services are platform-neutral: Node's modules",
    severity: "error",
    from: { path: "^(src|services)/" },
    to: { dependencyTypes: ["core"] }
  },
  {
    name: "no circle",
    severity: "error",
    from: { path: "^(index|src|services|layers|test|bench|examples|scripts)" },
    to: { circular: true }
  }
]

/**
 * Every module is reachable from an entry, a test, a benchmark or an example. The code of the threads and of their tasks is
 * bundled, not imported, so its entries are among these.
 */
export const reached = {
  name: "no unreached module",
  from: /^(index|layers\/(AgentCluster|EmbeddedServer|PayloadServer|PayloadServerNode|PrometheusServer|PrometheusServerNode|threads\/thread|tasks\/module))\.ts$|^(test|bench|examples|scripts)\//,
  to: /^(src|services|layers)\//
}

export const options: ICruiseOptions = {
  tsPreCompilationDeps: true,
  doNotFollow: { path: "node_modules" },
  exclude: { path: "^(dist|bench/peers)/" },
  skipAnalysisNotInRules: true,
  enhancedResolveOptions: {
    exportsFields: ["exports"],
    conditionNames: ["import", "types", "default"],
    // Half an hour: no file changes during the check.
    cachedInputFileSystem: { cacheDuration: 1_800_000 }
  }
}
