/**
 * Where the services come from on Node, and the embedded cluster. What serves that cluster on a port is apart, under
 * `@pod-protocol/effect/layers/EmbeddedServer`, since it needs the optional package `@effect/platform-node`.
 *
 * @since 0.1.0
 */

/**
 * A Solana cluster in this process: LiteSVM behind Solana's JSON-RPC and WebSocket methods, on Effect's Clock.
 *
 * @since 0.1.0
 */
export * as EmbeddedCluster from "./EmbeddedCluster.js"

/**
 * The wiring that most applications want.
 *
 * @since 0.1.0
 */
export * as Pod from "./Pod.js"

/**
 * The settings of `Pod.layer`, and where they come from.
 *
 * @since 0.1.0
 */
export * as PodConfig from "./PodConfig.js"

/**
 * The embedded cluster as an `RpcPool`: the same calls, without a socket.
 *
 * @since 0.1.0
 */
export * as RpcPoolEmbedded from "./RpcPoolEmbedded.js"

/**
 * The `RpcPool` wherever there is a `HttpClient` of `@effect/platform`: browsers, edge workers, other runtimes.
 *
 * @since 0.1.0
 */
export * as RpcPoolHttpClient from "./RpcPoolHttpClient.js"

/**
 * The `RpcPool` of Node: endpoints over undici, with HTTP/1.1 or HTTP/2 for calls and WebSockets for subscriptions.
 *
 * @since 0.1.0
 */
export * as RpcPoolUndici from "./RpcPoolUndici.js"

/**
 * Wallets with lamports, for tests and demonstrations on an embedded cluster.
 *
 * @since 0.1.0
 */
export * as TestWallets from "./TestWallets.js"

/**
 * Wallets on Node: `node:crypto` signs synchronously, in a fifth of the time of WebCrypto's promises and with the same
 * signatures; and Solana keypair files are read.
 *
 * @since 0.1.0
 */
export * as WalletNode from "./WalletNode.js"
