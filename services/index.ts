/**
 * The services of an application. No module of this entry imports `node:*`, so it works in a browser.
 *
 * @since 0.1.0
 */

/**
 * Agents: the identities that send messages and take part in channels.
 *
 * @since 0.1.0
 */
export * as Agent from "./Agent.js"

/**
 * Statistics of the program: numbers of accounts, activity by time, the busiest senders and channels, and the state of
 * the cluster.
 *
 * @since 0.1.0
 */
export * as Analytics from "./Analytics.js"

/**
 * Benchmarks with reliable results on a noisy machine.
 *
 * @since 0.1.0
 */
export * as Benchmark from "./Benchmark.js"

/**
 * Stores the reports of benchmarks, so that a run can be compared with an earlier one.
 *
 * @since 0.1.0
 */
export * as BenchmarkHistory from "./BenchmarkHistory.js"

/**
 * Pools memory for an application's own batches: a batch leases one large arena and allocates its buffers in it. The
 * SDK itself leases none, because Node's pool is cheaper for its small buffers.
 *
 * @since 0.1.0
 */
export * as BufferPool from "./BufferPool.js"

/**
 * A cache of the program's accounts, and of an application's own values, that never returns an invalidated value.
 *
 * @since 0.1.0
 */
export * as Cache from "./Cache.js"

/**
 * Keeps a `Cache` as new as the chain. Each protocol event invalidates the accounts that it changed, and the
 * application's values with the tags of these accounts.
 *
 * @since 0.1.0
 */
export * as CacheInvalidator from "./CacheInvalidator.js"

/**
 * The second level of `Cache`: rows that outlive the process, or that several caches share.
 *
 * @since 0.1.0
 */
export * as CacheStore from "./CacheStore.js"

/**
 * Channels: conversations of many agents, with every message on the chain.
 *
 * @since 0.1.0
 */
export * as Channel from "./Channel.js"

/**
 * Deadlines of RPC calls.
 *
 * @since 0.1.0
 */
export * as Deadline from "./Deadline.js"

/**
 * Finds agents, channels and messages in memory: by terms such as capabilities, by ranges, and by words.
 *
 * @since 0.1.0
 */
export * as Discovery from "./Discovery.js"

/**
 * Durable nonces: accounts whose nonce replaces a recent blockhash, so that a transaction stays valid for longer.
 *
 * @since 0.1.0
 */
export * as DurableNonce from "./DurableNonce.js"

/**
 * The error of endpoints that cannot be used.
 *
 * @since 0.1.0
 */
export { EndpointsError } from "./EndpointsError.js"

/**
 * Escrows: lamports that an agent deposits to pay a channel's fee.
 *
 * @since 0.1.0
 */
export * as Escrow from "./Escrow.js"

/**
 * Lists the live fibers of the process: the state of each, the fibers for which it waits, and suspected faults.
 *
 * @since 0.1.0
 */
export * as FiberConsole from "./FiberConsole.js"

/**
 * Streams of changes that survive lost subscriptions and lost notifications. After each (re)subscription the follower reads
 * the present state. It emits a change once, even if both a read and a notification report it.
 *
 * @since 0.1.0
 */
export * as Follow from "./Follow.js"

/**
 * A persistent record of signed transactions whose outcome is not known yet. After a crash, another process finishes them.
 *
 * @since 0.1.0
 */
export * as Journal from "./Journal.js"

/**
 * A long result, `{context, value: […]}`, whose list stays text until it is decoded in parts. Parsing it at once would
 * block the event loop.
 *
 * @since 0.1.0
 */
export * as LongResult from "./LongResult.js"

/**
 * Watches the memory of the process: its use, its distance from the limits, and suspected leaks. Pools and caches
 * register with it and shrink under pressure.
 *
 * @since 0.1.0
 */
export * as MemoryMonitor from "./MemoryMonitor.js"

/**
 * Pools objects that are expensive to make: each belongs to a Scope while in use, and returns when the Scope closes.
 *
 * @since 0.1.0
 */
export * as MemoryPool from "./MemoryPool.js"

/**
 * Direct messages between agents. The chain stores the sender, the recipient, the time and the SHA-256 of the payload.
 * The {@link PayloadStore} stores the payload itself.
 *
 * @since 0.1.0
 */
export * as Message from "./Message.js"

/**
 * The JSON document that an agent publishes at its `metadataUri`.
 *
 * @since 0.1.0
 */
export * as Metadata from "./Metadata.js"

/**
 * Measures the SDK and an application. The service `Metrics` times operations, keeps counters and gauges, and reports
 * percentiles. The constants are the package's metrics in Effect's registry, which exporters of Effect read.
 *
 * @since 0.1.0
 */
export * as Metrics from "./Metrics.js"

/**
 * Stores the payloads of direct messages. The chain stores only their SHA-256.
 *
 * @since 0.1.0
 */
export * as PayloadStore from "./PayloadStore.js"

/**
 * Measures CPU time and memory by function, and CPU time by Effect span.
 *
 * @since 0.1.0
 */
export * as Profiler from "./Profiler.js"

/**
 * The accounts of the program as the services return them, and the errors of reads and writes.
 *
 * @since 0.1.0
 */
export * as ProgramAccount from "./ProgramAccount.js"

/**
 * The address of the deployed program that the services use.
 *
 * @since 0.1.0
 */
export * as ProgramId from "./ProgramId.js"

/**
 * The events of the program as one stream: each event once, in the order of the chain, across restarts, lost
 * connections and lagging nodes.
 *
 * @since 0.1.0
 */
export * as ProtocolEvents from "./ProtocolEvents.js"

/**
 * Keys that agents publish for sealing. `Message.send({ seal: true })` and `SealedChannel` use this service if it is in
 * the context of the call. A text sealed to a published key can be opened without the wallet's private key.
 *
 * @since 0.1.0
 */
export * as PublishedKeys from "./PublishedKeys.js"

/**
 * Receipts as Schemas, for HTTP APIs, queues and workflows: JSON with slots and lamports as decimal strings.
 *
 * @since 0.1.0
 */
export * as Receipt from "./Receipt.js"

/**
 * Combines one or several endpoints into one resilient transport for `RpcPool`.
 *
 * @since 0.1.0
 */
export * as Resilience from "./Resilience.js"

/**
 * Turns retries of RPC calls on and off by context.
 *
 * @since 0.1.0
 */
export * as RetryPolicy from "./RetryPolicy.js"

/**
 * Solana's JSON-RPC as a service: typed calls with validated replies, subscriptions as Streams.
 *
 * @since 0.1.0
 */
export * as RpcPool from "./RpcPool.js"

/**
 * The interface under `RpcPool`: one endpoint as a record of functions.
 *
 * @since 0.1.0
 */
export * as RpcTransport from "./RpcTransport.js"

/**
 * Sealed channels: broadcasts that only the participants of a channel can read. `Channel` puts open text on the chain.
 *
 * @since 0.1.0
 */
export * as SealedChannel from "./SealedChannel.js"

/**
 * Sealing: encrypts a payload to the wallet of its recipient, so that nobody else can read it. The recipient's wallet
 * opens it by `unseal`. `docs/privacy.md` lists the facts that sealing hides, and those that stay public.
 *
 * @since 0.1.0
 */
export * as Sealing from "./Sealing.js"

/**
 * A signed transaction, sent or not.
 *
 * @since 0.1.0
 */
export * as SignedTransaction from "./SignedTransaction.js"

/**
 * Measures the CPU time of the process, and describes the machine.
 *
 * @since 0.1.0
 */
export * as Stopwatch from "./Stopwatch.js"

/**
 * Events of a subscription besides its notifications: it was established, or notifications may have been lost.
 *
 * @since 0.1.0
 */
export * as SubscriptionObserver from "./SubscriptionObserver.js"

/**
 * Runs many effects with bounded concurrency, in the order of their calls. The effects are fibers of one thread: a task
 * pool is for work that waits for a network or a disk. `WorkerPool` runs CPU work on other threads.
 *
 * @since 0.1.0
 */
export * as TaskPool from "./TaskPool.js"

/**
 * Decides which calls of the SDK are traced. The decision precedes the span, so an unsampled call costs little more
 * than a call without a tracer.
 *
 * @since 0.1.0
 */
export * as Telemetry from "./Telemetry.js"

/**
 * Sends instructions and returns receipts: compiles, signs, submits and confirms transactions.
 *
 * @since 0.1.0
 */
export * as Transactions from "./Transactions.js"

/**
 * Wallets: Ed25519 signers of transactions.
 *
 * @since 0.1.0
 */
export * as Wallet from "./Wallet.js"

/**
 * Runs CPU work on other threads. A task is a function of a module, from bytes to bytes. The pool runs it on a free
 * thread.
 *
 * @since 0.1.0
 */
export * as WorkerPool from "./WorkerPool.js"
