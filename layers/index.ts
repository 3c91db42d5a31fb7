/**
 * The layers of the services on Node, and the embedded cluster. Modules that need an optional package when they are
 * imported are not in this entry, such as `@pod-protocol/effect/layers/EmbeddedServer`.
 *
 * @since 0.1.0
 */

/**
 * A cache's store in an SQLite file, with the API of `node:sqlite`.
 *
 * @since 0.1.0
 */
export * as CacheStoreSqlite from "./CacheStoreSqlite.js"

/**
 * A Solana cluster in this process: LiteSVM behind Solana's JSON-RPC and WebSocket methods, timed by Effect's Clock.
 *
 * @since 0.1.0
 */
export * as EmbeddedCluster from "./EmbeddedCluster.js"

/**
 * The fiber console of Node.js: lines of code through `node:inspector`, dumps on a signal, and a live view in the terminal.
 *
 * @since 0.1.0
 */
export * as FiberConsoleNode from "./FiberConsoleNode.js"

/**
 * The memory monitor of Node.js: `process.memoryUsage`, V8's heap statistics, the container's limit, and collections as
 * `perf_hooks` reports them.
 *
 * @since 0.1.0
 */
export * as MemoryMonitorNode from "./MemoryMonitorNode.js"

/**
 * The `PayloadStore` on payload servers, over an `HttpClient` of `@effect/platform`: Node, browsers, Deno, edge
 * workers. Agents on several machines share it. `PayloadServer` implements the server.
 *
 * @since 0.1.0
 */
export * as PayloadStoreHttp from "./PayloadStoreHttp.js"

/**
 * The `PayloadStore` in a bucket of S3, or of a compatible store (R2, MinIO, Ceph), over an `HttpClient` of
 * `@effect/platform`. It needs the optional package `aws4fetch` 1.0.20, which is loaded when the layer is built.
 *
 * @since 0.1.0
 */
export * as PayloadStoreS3 from "./PayloadStoreS3.js"

/**
 * The `PayloadStore` on payload servers for Node, over undici. It needs half the CPU time of `PayloadStoreHttp` for
 * each request.
 *
 * @since 0.1.0
 */
export * as PayloadStoreUndici from "./PayloadStoreUndici.js"

/**
 * Layers that wire all services for most applications.
 *
 * @since 0.1.0
 */
export * as Pod from "./Pod.js"

/**
 * The settings of `Pod.layer`, and their configuration from the environment.
 *
 * @since 0.1.0
 */
export * as PodConfig from "./PodConfig.js"

/**
 * The profiler of Node.js: V8's CPU and heap profilers through `node:inspector`, source maps, and files.
 *
 * @since 0.1.0
 */
export * as ProfilerNode from "./ProfilerNode.js"

/**
 * An `RpcPool` over the embedded cluster: the same calls, without a socket.
 *
 * @since 0.1.0
 */
export * as RpcPoolEmbedded from "./RpcPoolEmbedded.js"

/**
 * The `RpcPool` over a `HttpClient` of `@effect/platform`: for browsers, edge workers and other runtimes.
 *
 * @since 0.1.0
 */
export * as RpcPoolHttpClient from "./RpcPoolHttpClient.js"

/**
 * The `RpcPool` for Node: endpoints over undici, with HTTP/1.1 or HTTP/2 for calls and WebSockets for subscriptions.
 *
 * @since 0.1.0
 */
export * as RpcPoolUndici from "./RpcPoolUndici.js"

/**
 * Sealing on Node: HPKE (RFC 9180) with X25519, HKDF-SHA256 and ChaCha20-Poly1305, by `node:crypto`, or faster by the
 * optional package `sodium-native`.
 *
 * @since 0.1.0
 */
export * as SealingNode from "./SealingNode.js"

/**
 * Sealing on the threads of a worker pool, by `node:crypto`. Sealing 1 KiB takes more than 100 µs; a task takes about
 * 10 µs of the calling thread. So threads save time if many payloads are sealed. A single payload is ready later by the
 * transfer time.
 *
 * @since 0.1.0
 */
export * as SealingThreads from "./SealingThreads.js"

/**
 * Sealing in browsers, Deno and edge workers, which lack `node:crypto`. X25519 comes from WebCrypto, or from the
 * optional package `@noble/curves` 2.4.0 if WebCrypto lacks it. ChaCha20-Poly1305 comes from the optional package
 * `@noble/ciphers` 2.4.0. All platforms open each other's payloads.
 *
 * @since 0.1.0
 */
export * as SealingWeb from "./SealingWeb.js"

/**
 * The stopwatch of Node.js.
 *
 * @since 0.1.0
 */
export * as StopwatchNode from "./StopwatchNode.js"

/**
 * Passes the durations of the service `Metrics` to the SDK of OpenTelemetry, for applications that use that SDK
 * already. Spans and Effect's metrics reach it by `NodeSdk.layer` of `@effect/opentelemetry`; see `docs/telemetry.md`.
 *
 * @since 0.1.0
 */
export * as TelemetryNodeSdk from "./TelemetryNodeSdk.js"

/**
 * Exports traces, metrics and logs by OpenTelemetry's protocol (OTLP) over HTTP, to a collector or a vendor.
 *
 * @since 0.1.0
 */
export * as TelemetryOtlp from "./TelemetryOtlp.js"

/**
 * Wallets with lamports, for tests and demonstrations on an embedded cluster.
 *
 * @since 0.1.0
 */
export * as TestWallets from "./TestWallets.js"

/**
 * Wallets on Node: `node:crypto` signs synchronously, in a fifth of the time of WebCrypto's promises and with the same
 * signatures. It also reads Solana keypair files.
 *
 * @since 0.1.0
 */
export * as WalletNode from "./WalletNode.js"

/**
 * A wallet that signs batches on the threads of a worker pool. A thread gets the key as a handle of `node:crypto`: the
 * bytes of the key do not enter JavaScript's memory.
 *
 * @since 0.1.0
 */
export * as WalletThreads from "./WalletThreads.js"

/**
 * A worker pool on Node's threads. The threads share memory with the pool, so a small task needs no message. An idle
 * thread takes work from busy ones, and sleeps if there is none.
 *
 * @since 0.1.0
 */
export * as WorkerPoolThreads from "./WorkerPoolThreads.js"
