/**
 * Solana's JSON-RPC as a service: typed calls with validated replies, subscriptions as Streams.
 *
 * Calls have the names of the JSON-RPC methods, except `getLedgerStatuses`, which combines two of them. Account data is
 * bytes, u64 is `bigint`, and an optional value is an `Option`. Typed calls validate their reply. An invalid reply
 * fails with `RpcError{reason: "Decode"}`, which names the path.
 *
 * The pool uses one {@link RpcTransport}. Several endpoints, retries, limits and coalescing are functions `RpcTransport
 * => RpcTransport`, independent of this module.
 *
 * @since 0.1.0
 */
import type { Address, Commitment } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { model } from "../src/internal/jsonable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Base64 from "../src/solana/Base64.js"
import * as Limits from "../src/solana/Limits.js"
import * as Direct from "./internal/direct.js"
import { slotParam } from "./internal/slot.js"
import * as TestLayer from "./internal/testLayer.js"
import * as LongResult from "./LongResult.js"
import * as RetryPolicy from "./RetryPolicy.js"
import * as AccountDecoder from "./rpc/AccountDecoder.js"
import * as Arguments from "./rpc/Arguments.js"
import type {
  AccountFilter,
  AccountOptions,
  CommitmentOptions,
  ProgramAccountsOptions,
  ReadOptions,
  SendOptions
} from "./rpc/CallOptions.js"
import * as Decode from "./rpc/Decode.js"
import * as Decoders from "./rpc/Decoders.js"
import * as Kit from "./rpc/Kit.js"
import * as Observe from "./rpc/Observe.js"
import type { Service } from "./rpc/Service.js"
import { RpcError, SubscriptionError } from "./RpcTransport.js"
import type { RpcTransport, SubscriptionKind } from "./RpcTransport.js"

export type * from "./rpc/CallOptions.js"
export type * from "./rpc/Reply.js"
export type { Service } from "./rpc/Service.js"

/**
 * Solana's JSON-RPC.
 *
 * @example
 * ```ts
 * import { RpcPool } from "@pod-protocol/effect"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const balance = (address: Address) =>
 *   Effect.flatMap(RpcPool.RpcPool, (rpc) => rpc.getBalance(address, { commitment: "finalized" })).pipe(
 *     Effect.map(({ value }) => value)
 *   )
 *
 * export const changes = (address: Address) =>
 *   Stream.unwrap(Effect.map(RpcPool.RpcPool, (rpc) => rpc.accountSubscribe(address)))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class RpcPool extends Context.Tag("@pod-protocol/effect/RpcPool")<RpcPool, Service>() {}

/**
 * Options of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The commitment of calls without their own. Default: `confirmed`, for which two thirds of the stake have voted.
   * `processed` is about one slot newer, but may be rolled back. `finalized` lags about 13 seconds.
   */
  readonly commitment?: Commitment | undefined
}

/** A configuration object without its undefined members. */
const config = (members: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } => {
  const given: { [name: string]: unknown } = {}
  for (const name in members) if (members[name] !== undefined) given[name] = members[name]
  return given
}

const refusedStream = (refused: InvalidInput | undefined): Stream.Stream<never, InvalidInput> | undefined =>
  refused && Stream.fail(refused)

/** A missing answer in an array is read as a missing value. */
const UNANSWERED: Either.Either<unknown, RpcError> = Either.right(undefined)

const filterParam = (filter: AccountFilter): unknown =>
  "memcmp" in filter
    ? { memcmp: { offset: filter.memcmp.offset, bytes: Base64.encode(filter.memcmp.bytes), encoding: "base64" } }
    : { dataSize: filter.dataSize }

const logsParam = (filter: "all" | "allWithVotes" | { readonly mentions: Address }): unknown =>
  typeof filter === "string" ? filter : { mentions: [filter.mentions] }

/**
 * A pool over one transport.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (transport: RpcTransport, options: Options = {}): Service => {
  const { host } = transport
  const defaultCommitment = options.commitment ?? "confirmed"
  const blockCommitment = defaultCommitment === "processed" ? "confirmed" : defaultCommitment
  const observed = Observe.call(host)

  const undecodable =
    (method: string) =>
    ({ path, expected }: Decode.Mismatch) =>
      new RpcError({ reason: "Decode", method, host, detail: `expected ${expected} at result${path}` })

  const call = <A>(method: string, params: ReadonlyArray<unknown>, decode: Decode.Decoder<A>) =>
    observed(method, () =>
      Effect.flatMap(transport.request(method, params), (result) => Either.mapLeft(decode(result), undecodable(method)))
    )

  /** As `call`, for replies whose reading may take more than one turn of the event loop. */
  const callLong = <A>(
    method: string,
    params: ReadonlyArray<unknown>,
    decode: (result: unknown) => Effect.Effect<A, Decode.Mismatch>
  ) =>
    observed(method, () =>
      Effect.flatMap(transport.request(method, params), (result) =>
        Effect.mapError(decode(result), undecodable(method))
      )
    )

  const request: Service["request"] = (method, params = []) => callLong(method, params, LongResult.whole)

  const subscribe = <A>(
    kind: SubscriptionKind,
    params: ReadonlyArray<unknown>,
    decode: Decode.Decoder<A>
  ): Stream.Stream<A, SubscriptionError> => {
    const method = `${kind}Subscribe`
    return transport.subscribe(kind, params).pipe(
      Stream.mapEffect((notification) =>
        Either.mapLeft(
          decode(notification),
          ({ path, expected }) =>
            new SubscriptionError({ reason: "Decode", method, host, detail: `expected ${expected} at result${path}` })
        )
      ),
      Observe.subscription(method)
    )
  }

  const commitment = (options?: CommitmentOptions) => ({ commitment: options?.commitment ?? defaultCommitment })
  const read = (options?: ReadOptions) => config({ ...commitment(options), minContextSlot: options?.minContextSlot })
  const account = (options?: AccountOptions) =>
    config({ ...read(options), dataSlice: options?.dataSlice, encoding: "base64" })
  const program = (options?: ProgramAccountsOptions) =>
    config({ ...account(options), filters: options?.filters?.map(filterParam), withContext: true })

  const batch: Service["batch"] = (calls) =>
    observed("batch", () => transport.batch(calls), { "rpc.batch.size": calls.length })

  const item = <A>(method: string, answer: Either.Either<unknown, RpcError>, decode: Decode.Decoder<A>) =>
    Either.flatMap(answer, (result) => Either.mapLeft(decode(result), undecodable(method)))

  const submission = (wire: Uint8Array, options: SendOptions | undefined): ReadonlyArray<unknown> => [
    Base64.encode(wire),
    config({
      encoding: "base64",
      skipPreflight: options?.skipPreflight,
      preflightCommitment: options?.preflightCommitment ?? defaultCommitment,
      maxRetries: options?.maxRetries,
      minContextSlot: slotParam(options?.minContextSlot)
    })
  ]

  const signatureOf = (result: unknown) => Either.mapLeft(Decode.signature(result), undecodable("sendTransaction"))

  const sendTransaction = Direct.over(
    transport.request,
    (wire: Uint8Array, options?: SendOptions): ReturnType<Service["sendTransaction"]> =>
      Arguments.bytes("wire", wire) ??
      Arguments.submission(options) ??
      call("sendTransaction", submission(wire, options), Decode.signature),
    (start) =>
      Observe.started("sendTransaction", (caller, onEnd, wire, options) =>
        (Arguments.bytes("wire", wire) ?? Arguments.submission(options)) === undefined
          ? start(caller, (exit) => onEnd(Direct.read(exit, signatureOf)), "sendTransaction", submission(wire, options))
          : undefined
      )
  )

  return {
    getHealth: call("getHealth", [], Decoders.health),
    getVersion: call("getVersion", [], Decoders.nodeVersion),
    getIdentity: call("getIdentity", [], Decoders.identity),
    getGenesisHash: call("getGenesisHash", [], Decode.blockhash),
    getSlot: (options) => call("getSlot", [read(options)], Decode.u64),
    getBlockHeight: (options) => call("getBlockHeight", [read(options)], Decode.u64),
    getEpochInfo: (options) => call("getEpochInfo", [read(options)], Decoders.epochInfo),
    getEpochSchedule: call("getEpochSchedule", [], Decoders.epochSchedule),
    getBlock: (slot, options) =>
      Arguments.slot("slot", slot) ??
      call(
        "getBlock",
        [
          slot,
          {
            commitment: options?.commitment ?? blockCommitment,
            transactionDetails: options?.transactionDetails ?? "full",
            encoding: "base64",
            maxSupportedTransactionVersion: 0,
            rewards: false
          }
        ],
        Decode.optional(Decoders.block)
      ),
    getBlocks: (start, end, options) =>
      Arguments.slot("start", start) ??
      Arguments.slot("end", end ?? start) ??
      call(
        "getBlocks",
        [start, end ?? null, { commitment: options?.commitment ?? blockCommitment }],
        Decode.array(Decode.u64)
      ),
    getBlockTime: (slot) => Arguments.slot("slot", slot) ?? call("getBlockTime", [slot], Decode.optional(Decode.i64)),
    getFirstAvailableBlock: call("getFirstAvailableBlock", [], Decode.u64),
    minimumLedgerSlot: call("minimumLedgerSlot", [], Decode.u64),
    getLatestBlockhash: (options) =>
      call("getLatestBlockhash", [read(options)], Decoders.contextual(Decoders.latestBlockhash)),
    isBlockhashValid: (blockhash, options) =>
      Arguments.blockhash(blockhash) ??
      call("isBlockhashValid", [blockhash, read(options)], Decoders.contextual(Decode.boolean)),
    getFeeForMessage: (messageBytes, options) =>
      Arguments.bytes("messageBytes", messageBytes) ??
      call(
        "getFeeForMessage",
        [Base64.encode(messageBytes), read(options)],
        Decoders.contextual(Decode.optional(Decode.lamports))
      ),
    getRecentPrioritizationFees: (accounts = []) =>
      Arguments.addresses("accounts", accounts, Limits.MAX_PRIORITIZATION_ACCOUNTS) ??
      call("getRecentPrioritizationFees", [accounts], Decode.array(Decoders.prioritizationFee)),
    getRecentPerformanceSamples: (limit = 720) =>
      Arguments.samples(limit) ??
      call("getRecentPerformanceSamples", [limit], Decode.array(Decoders.performanceSample)),
    getMinimumBalanceForRentExemption: (space, options) =>
      Arguments.space(space) ??
      call("getMinimumBalanceForRentExemption", [space, commitment(options)], Decode.lamports),
    getBalance: (address, options) =>
      Arguments.address(address) ?? call("getBalance", [address, read(options)], Decoders.contextual(Decode.lamports)),
    getAccountInfo: (address, options) =>
      Arguments.address(address) ??
      Arguments.slice(options) ??
      call(
        "getAccountInfo",
        [address, account(options)],
        Decoders.contextual(Decode.optional(AccountDecoder.account(address)))
      ),
    getMultipleAccounts: (addresses, options) =>
      Arguments.addresses("addresses", addresses, Limits.MAX_MULTIPLE_ACCOUNTS) ??
      Arguments.slice(options) ??
      call("getMultipleAccounts", [addresses, account(options)], Decoders.accounts(addresses)),
    getProgramAccounts: (address, options) =>
      Arguments.address(address, "program") ??
      Arguments.programAccounts(options) ??
      callLong("getProgramAccounts", [address, program(options)], Decoders.keyedAccounts),
    getSupply: (options) => call("getSupply", [commitment(options)], Decoders.contextual(Decoders.supply)),
    getTransactionCount: (options) => call("getTransactionCount", [read(options)], Decode.u64),
    getSignatureStatuses: (signatures, options) =>
      Arguments.signatures(signatures) ??
      call(
        "getSignatureStatuses",
        [signatures, { searchTransactionHistory: options?.searchTransactionHistory ?? false }],
        Decoders.signatureStatuses(signatures)
      ),
    getLedgerStatuses: (signatures) =>
      Arguments.signatures(signatures) ??
      RetryPolicy.never(
        batch([
          { method: "getSignatureStatuses", params: [signatures, { searchTransactionHistory: true }] },
          { method: "getFirstAvailableBlock", params: [] }
        ])
      ).pipe(
        Effect.flatMap(([statuses = UNANSWERED, first = UNANSWERED]) =>
          Either.all([
            item("getSignatureStatuses", statuses, Decoders.signatureStatuses(signatures)),
            item("getFirstAvailableBlock", first, Decode.u64)
          ])
        ),
        Effect.map(([{ slot, value }, firstSlot]) => model({ slot, value, firstSlot }))
      ),
    getSignaturesForAddress: (address, options) =>
      Arguments.address(address) ??
      Arguments.history(options) ??
      call(
        "getSignaturesForAddress",
        [address, config({ ...read(options), before: options?.before, until: options?.until, limit: options?.limit })],
        Decode.array(Decoders.signatureInfo)
      ),
    getTransaction: (signature, options) =>
      Arguments.signature(signature) ??
      call(
        "getTransaction",
        [
          signature,
          {
            commitment: options?.commitment ?? blockCommitment,
            encoding: "base64",
            maxSupportedTransactionVersion: 0
          }
        ],
        Decode.optional(Decoders.confirmedTransaction)
      ),
    requestAirdrop: (address, lamports, options) =>
      Arguments.address(address) ??
      Arguments.lamports(lamports) ??
      call("requestAirdrop", [address, lamports, commitment(options)], Decode.signature),
    sendTransaction,
    simulateTransaction: (wire, options) =>
      Arguments.bytes("wire", wire) ??
      Arguments.addresses("accounts", options?.accounts ?? [], Infinity) ??
      call(
        "simulateTransaction",
        [
          Base64.encode(wire),
          config({
            ...read(options),
            encoding: "base64",
            sigVerify: options?.sigVerify,
            replaceRecentBlockhash: options?.replaceRecentBlockhash,
            accounts: options?.accounts && { addresses: options.accounts, encoding: "base64" }
          })
        ],
        Decoders.contextual(Decoders.simulation(options?.accounts ?? []))
      ),

    accountSubscribe: (address, options) =>
      refusedStream(Arguments.address(address)) ??
      subscribe(
        "account",
        [address, { ...commitment(options), encoding: "base64" }],
        Decoders.contextual(AccountDecoder.account(address))
      ),
    programSubscribe: (address, options) =>
      refusedStream(Arguments.address(address, "program") ?? Arguments.programAccounts(options)) ??
      subscribe("program", [address, program(options)], Decoders.contextual(AccountDecoder.keyedAccount)),
    logsSubscribe: (filter, options) =>
      refusedStream(Arguments.logs(filter)) ??
      subscribe("logs", [logsParam(filter), commitment(options)], Decoders.contextual(Decoders.transactionLogs)),
    signatureSubscribe: (signature, options) =>
      refusedStream(Arguments.signature(signature)) ??
      Stream.take(
        subscribe("signature", [signature, commitment(options)], Decoders.contextual(Decoders.signatureResult)),
        1
      ),
    slotSubscribe: subscribe("slot", [], Decoders.slotInfo),
    rootSubscribe: subscribe("root", [], Decode.u64),

    request,
    batch,
    kit: Kit.fromRequest(request)
  }
}

/**
 * A pool over one transport, as a Layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (transport: RpcTransport, options?: Options): Layer.Layer<RpcPool> =>
  Layer.sync(RpcPool, () => make(transport, options))

/**
 * A test layer from stubs: a call to a missing method dies with the method's name. `calls` counts the calls.
 *
 * @example
 * ```ts
 * import { RpcPool } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * const test = Effect.gen(function* () {
 *   const rpc = yield* RpcPool.RpcPool
 *   yield* rpc.getSlot()
 *   return yield* RpcPool.calls("getSlot") // 1
 * }).pipe(Effect.provide(RpcPool.layerTest({ getSlot: () => Effect.succeed(7n) })))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<RpcPool> => TestLayer.layer(RpcPool, stubs)

/**
 * The number of calls of a method of a pool made by {@link layerTest}.
 *
 * @since 0.1.0
 * @category testing
 */
export const calls: (method: keyof Service) => Effect.Effect<number, never, RpcPool> = TestLayer.calls(RpcPool)
