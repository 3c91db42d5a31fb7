/**
 * What an application can ask for. Nothing in here imports `node:*`: this entry goes into a browser.
 *
 * @since 0.1.0
 */

/**
 * Agents: register, update, get, exists.
 *
 * @since 0.1.0
 */
export * as Agent from "./Agent.js"

/**
 * Large arenas, leased to batches.
 *
 * @since 0.1.0
 */
export * as BufferPool from "./BufferPool.js"

/**
 * Channels: create, join, invite, broadcast, messages.
 *
 * @since 0.1.0
 */
export * as Channel from "./Channel.js"

/**
 * Durable nonces: create, get, advance, withdraw, close, authorize.
 *
 * @since 0.1.0
 */
export * as DurableNonce from "./DurableNonce.js"

/**
 * Escrows: deposit, withdraw, get.
 *
 * @since 0.1.0
 */
export * as Escrow from "./Escrow.js"

/**
 * What was signed and whose outcome is not known yet, for another process to finish.
 *
 * @since 0.1.0
 */
export * as Journal from "./transactions/Journal.js"

/**
 * Direct messages: send, read, mark.
 *
 * @since 0.1.0
 */
export * as Message from "./Message.js"

/**
 * What the SDK counts and measures.
 *
 * @since 0.1.0
 */
export * as Metrics from "./Metrics.js"

/**
 * Where the bytes of direct messages live.
 *
 * @since 0.1.0
 */
export * as PayloadStore from "./PayloadStore.js"

/**
 * Accounts of the program as the services hand them out, and the errors of reads and writes.
 *
 * @since 0.1.0
 */
export * as ProgramAccount from "./ProgramAccount.js"

/**
 * Which deployment of the program is spoken to.
 *
 * @since 0.1.0
 */
export * as ProgramId from "./ProgramId.js"

/**
 * Solana's JSON-RPC, typed.
 *
 * @since 0.1.0
 */
export * as RpcPool from "./RpcPool.js"

/**
 * One endpoint: the seam under the pool.
 *
 * @since 0.1.0
 */
export * as RpcTransport from "./RpcTransport.js"

/**
 * Instructions in, receipts out.
 *
 * @since 0.1.0
 */
export * as Transactions from "./Transactions.js"

/**
 * Who signs.
 *
 * @since 0.1.0
 */
export * as Wallet from "./Wallet.js"
