/**
 * Where the services come from on Node, and the embedded cluster. What serves that cluster on a port is apart, under
 * `@pod-protocol/effect/layers/embedded/Server`, since it needs the optional package `@effect/platform-node`.
 *
 * @since 0.1.0
 */

/**
 * A Solana cluster in this process.
 *
 * @since 0.1.0
 */
export * as EmbeddedCluster from "./embedded/EmbeddedCluster.js"

/**
 * The wiring that most applications want.
 *
 * @since 0.1.0
 */
export * as Pod from "./Pod.js"

/**
 * The settings of that wiring.
 *
 * @since 0.1.0
 */
export * as PodConfig from "./PodConfig.js"

/**
 * The pool of the embedded cluster.
 *
 * @since 0.1.0
 */
export * as RpcPoolEmbedded from "./embedded/RpcPoolEmbedded.js"

/**
 * The pool over any platform's HttpClient.
 *
 * @since 0.1.0
 */
export * as RpcPoolHttpClient from "./RpcPoolHttpClient.js"

/**
 * The pool of Node.
 *
 * @since 0.1.0
 */
export * as RpcPoolUndici from "./RpcPoolUndici.js"

/**
 * Wallets with lamports, on an embedded cluster.
 *
 * @since 0.1.0
 */
export * as TestWallets from "./TestWallets.js"

/**
 * Wallets of Node: keypair files and fast signing.
 *
 * @since 0.1.0
 */
export * as WalletNode from "./WalletNode.js"
