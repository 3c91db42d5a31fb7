/**
 * Builds an embedded cluster: the chain, the feeds, the faucet and the RPC methods, on Effect's Clock.
 *
 * Invariants: the chain is synchronous, so every call runs without interleaving; the cluster's scope owns all fibers
 * and streams; a closed scope ends all streams with an error.
 */
import { readFile } from "node:fs/promises"
import type { Address } from "@solana/kit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Function from "effect/Function"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { BoundedQueue } from "../../services/internal/BoundedQueue.js"
import * as Clock from "../../services/internal/clock.js"
import * as Closing from "../../services/internal/closing.js"
import * as Direct from "../../services/internal/direct.js"
import { weigh } from "../../services/internal/weigh.js"
import { SubscriptionError, type SubscriptionKind } from "../../services/RpcTransport.js"
import { SubscriptionObserver } from "../../services/SubscriptionObserver.js"
import * as Check from "../../src/internal/check.js"
import { model } from "../../src/internal/jsonable.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import { COMPRESSION_PROGRAM, PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"
import { MAX_ACCOUNT_BYTES } from "../../src/solana/Limits.js"
import { Chain, type ChainSnapshot } from "./chain/Chain.js"
import * as Svm from "./chain/Svm.js"
import { EmbeddedClusterError } from "./EmbeddedClusterError.js"
import { HOST } from "./Host.js"
import type { Listening, Service, Snapshot } from "./Model.js"
import * as Options from "./Options.js"
import * as Recorded from "./Recorded.js"
import * as Faucet from "./rpc/Faucet.js"
import { Feeds, type Sink } from "./rpc/Feeds.js"
import * as JsonRpcError from "./rpc/JsonRpcError.js"
import * as accounts from "./rpc/methods/accounts.js"
import * as airdrops from "./rpc/methods/airdrop.js"
import * as blocks from "./rpc/methods/blocks.js"
import * as cluster from "./rpc/methods/cluster.js"
import * as Subscriptions from "./rpc/methods/subscriptions.js"
import * as tokens from "./rpc/methods/tokens.js"
import * as transactions from "./rpc/methods/transactions.js"
import * as validator from "./rpc/methods/validator.js"
import type { Method, Node } from "./rpc/Node.js"
import type { Read } from "./rpc/Params.js"
import * as Ticker from "./Ticker.js"
import * as Waiting from "./Waiting.js"

/** Starts a cluster that runs until the scope closes. */
export const make = (
  options: Options.Options = {}
): Effect.Effect<Service, EmbeddedClusterError | InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    const settings = yield* Options.resolve(options)
    const machines = yield* Svm.factory(settings.maxLogBytes)
    const feeds: Feeds = new Feeds(settings.maxSubscriptions, (address, slot) => chain.account(address, slot))
    const faucet = Faucet.make()
    const genesis = (chain: Chain) =>
      Effect.gen(function* () {
        const { address } = faucet
        const [lamports, owner] = [settings.faucetLamports, Addresses.SYSTEM_PROGRAM]
        yield* setAccount(chain, { address, lamports, owner, data: new Uint8Array(0) })
        if (settings.podProgram) yield* addPodProgram(chain)
        yield* Effect.forEach(settings.programs, ({ address, elf }) => addProgram(chain, address, elf), {
          discard: true
        })
        yield* Effect.forEach(
          inOrder(settings.accounts),
          ({ account, index }) => Effect.mapError(setAccount(chain, account), within(`accounts[${index}]`)),
          { discard: true }
        )
      })
    const make = (start: Clock.Moment, seed: Uint8Array) => new Chain(settings, machines, feeds, start, seed)
    const chain: Chain = yield* Recorded.make(settings, make, genesis)
    const passing = settings.blockMode === "instant" && settings.passingSlots
    if (settings.blockMode === "interval") {
      const stops = Effect.tapDefect((defect) => Effect.logFatal("the embedded cluster makes no more blocks", defect))
      yield* Effect.forkScoped(Effect.interruptible(stops(Ticker.run(chain))))
    } else if (passing) yield* Waiting.run(chain, feeds)
    const poll = passing ? Waiting.polls(chain) : Function.constVoid

    const nodeAt = (nowMillis: number): Node => ({ chain, faucet, identity: faucet.address, nowMillis })
    const listen: Service["listen"] = (kind, params, sink) =>
      Effect.suspend(() => {
        if (!chain.isStored) return Either.left(NOT_STORED)
        return Either.flatMap(
          Subscriptions.read(kind, chain, params),
          ({ topic, commitment, answer }): Read<Listening> =>
            answer === undefined
              ? Either.map(feeds.open(topic, commitment, sink), (close): Listening => ({ close, answer }))
              : Either.right<Listening>({ close: Function.constVoid, answer })
        )
      })
    const streams: Streams = new Set()
    const { isClosed } = yield* Closing.make(Effect.sync(() => streams.forEach((end) => end())))
    const snapshots = new WeakMap<Snapshot, ChainSnapshot>()

    return {
      settings,
      listen,
      activity: Effect.sync(() => ({
        slot: BigInt(chain.bank("processed").slot),
        transactions: chain.transactionCount,
        subscriptions: feeds.size
      })),
      request: Direct.synchronous((nowMillis, name: string, params: ReadonlyArray<unknown>): Read<unknown> => {
        const method = METHODS.get(name)
        if (method === undefined) return Either.left(JsonRpcError.method())
        if (!chain.isStored) return Either.left(NOT_STORED)
        return kept(() => {
          poll(name, nowMillis)
          return method(nodeAt(nowMillis), params)
        })
      }),
      subscribe: (kind, params) =>
        isClosed()
          ? Stream.fail(Closing.subscription(kind, HOST))
          : stream(listen, kind, params, settings.maxPendingNotifications, streams),
      airdrop: (address, lamports) =>
        Effect.gen(function* () {
          const recipient = yield* Addresses.parse(address)
          yield* Check.bigInteger("lamports", lamports)
          return yield* Effect.mapError(
            Effect.flatMap(Clock.monotonicMillis, (now) => airdrops.airdrop(nodeAt(now), recipient, lamports)),
            ({ message }) => new InvalidInput({ field: "lamports", rule: message, size: lamports })
          )
        }),
      setAccount: (account) => setAccount(chain, account),
      addProgram: (address, elf) => addProgram(chain, address, elf),
      advanceSlots: (count) =>
        Effect.suspend(() => Check.integer("count", count, 0, MAX_SLOT - chain.bank("processed").slot)).pipe(
          Effect.flatMap((slots) => Effect.map(Clock.monotonicMillis, (now) => chain.advance(slots, now)))
        ),
      advanceTime: (duration) =>
        Effect.map(Clock.monotonicMillis, (now) => chain.advanceTime(Duration.toMillis(duration), now)),
      expireBlockhashes: Effect.map(Clock.monotonicMillis, (now) => chain.expireBlockhashes(now)),
      snapshot: Effect.sync(() => {
        const taken = chain.snapshot()
        const snapshot: Snapshot = model({ slot: BigInt(taken.slot) })
        snapshots.set(snapshot, taken)
        return snapshot
      }),
      restore: (snapshot) => {
        const taken = snapshots.get(snapshot)
        if (settings.ledger !== undefined) return refuse("snapshot", "cannot be restored over a ledger folder")
        return taken === undefined
          ? refuse("snapshot", "must have been taken from this cluster")
          : Effect.sync(() => chain.restore(taken))
      }
    }
  })

/** The answer after an input that the ledger folder could not keep: a restart would not know what the chain shows. */
const NOT_STORED = JsonRpcError.internal(
  "the ledger folder could not be written, so the cluster answers no more: free space, and start again"
)

/** Calls a method. Its effect may be one that the ledger folder cannot keep, as on a full disk. */
const kept = (run: () => Read<unknown>): Read<unknown> =>
  Either.try({
    try: run,
    catch: (cause) => {
      if (!(cause instanceof EmbeddedClusterError)) throw cause
      return JsonRpcError.internal(cause.message)
    }
  }).pipe(Either.flatMap(Function.identity))

const METHODS: ReadonlyMap<string, Method> = new Map(
  [accounts, airdrops, blocks, cluster, tokens, transactions, validator].flatMap(({ methods }) =>
    Object.entries(methods)
  )
)

/** The highest slot that `advanceSlots` reaches. From 2^53 on, a number cannot count slots. */
const MAX_SLOT = 2 ** 52

/** A small program that LiteSVM includes. It is loaded at addresses where only the existence of a program matters. */
const MEMO_PROGRAM = Addresses.known("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")

const POD_PROGRAM_FILE = new URL("../../program/pod_com.so", import.meta.url)

const refuse = (field: string, rule: string, size?: number | bigint) =>
  Effect.fail(new InvalidInput(size === undefined ? { field, rule } : { field, rule, size }))

const setAccount = (chain: Chain, account: Options.AccountImage): Effect.Effect<void, InvalidInput> =>
  Effect.gen(function* () {
    const address = yield* Addresses.parse(account.address)
    const owner = yield* Addresses.parse(account.owner, "owner")
    const { lamports, data, executable = false, rentEpoch = Svm.RENT_EXEMPT_EPOCH } = account
    yield* Check.bigInteger("lamports", lamports)
    yield* Check.bigInteger("rentEpoch", rentEpoch)
    if (data.length > MAX_ACCOUNT_BYTES)
      return yield* refuse("data", `is at most ${MAX_ACCOUNT_BYTES} bytes`, data.length)
    const stored = lamports === 0n ? undefined : { lamports, owner, executable, rentEpoch, data }
    yield* Either.mapLeft(chain.setAccount(address, stored), (rule) => new InvalidInput({ field: "account", rule }))
  })

/** Sorts programs last: the account with the bytes of an upgradeable program must exist before the program. */
const inOrder = (accounts: ReadonlyArray<Options.AccountImage>) =>
  accounts
    .map((account, index) => ({ account, index }))
    .toSorted((left, right) => Number(left.account.executable ?? false) - Number(right.account.executable ?? false))

/** Names the option that the field belongs to. */
const within =
  (path: string) =>
  ({ field, rule, size }: InvalidInput): InvalidInput => {
    const whole = field === "account" ? path : `${path}.${field}`
    return new InvalidInput(size === undefined ? { field: whole, rule } : { field: whole, rule, size })
  }

const addProgram = (chain: Chain, address: Address, elf: Uint8Array): Effect.Effect<void, EmbeddedClusterError> =>
  Effect.suspend(() =>
    Either.mapLeft(
      elf.length > MAX_ACCOUNT_BYTES
        ? Either.left(`it has more than ${MAX_ACCOUNT_BYTES} bytes`)
        : chain.addProgram(address, elf),
      (reason) =>
        new EmbeddedClusterError({
          reason: "ProgramInvalid",
          detail: `program ${address}: ${reason}; build it for this runtime`
        })
    )
  )

/**
 * Loads the PoD program. It also loads an executable at the address of the compression program, which the PoD program
 * never calls.
 */
const addPodProgram = (chain: Chain): Effect.Effect<void, EmbeddedClusterError> =>
  Effect.gen(function* () {
    const elf = yield* Effect.tryPromise({
      try: (signal) => readFile(POD_PROGRAM_FILE, { signal }),
      catch: (cause) =>
        new EmbeddedClusterError({
          reason: "ProgramMissing",
          detail: `the PoD program is not at ${POD_PROGRAM_FILE.pathname}; build it, or start with podProgram: false`,
          cause
        })
    })
    yield* addProgram(chain, PROGRAM_ID, elf)
    const memo = chain.account(MEMO_PROGRAM, 0)
    if (memo !== undefined) yield* addProgram(chain, COMPRESSION_PROGRAM, memo.data)
  })

/** Functions that end the open streams. */
type Streams = Set<() => void>

/** Approximate maximum memory of the queued notifications of one stream, in bytes. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024

const stream = (
  listen: Service["listen"],
  kind: SubscriptionKind,
  params: ReadonlyArray<unknown>,
  capacity: number,
  streams: Streams
): Stream.Stream<unknown, SubscriptionError> => {
  const method = `${kind}Subscribe`
  const overflow = new SubscriptionError({
    reason: "Overflow",
    method,
    detail: `more than ${capacity} notifications were unread`
  })
  return Stream.unwrapScoped(
    Effect.gen(function* () {
      const unread = new BoundedQueue<unknown, SubscriptionError>({ items: capacity, bytes: MAX_PENDING_BYTES })
      const end = () => unread.end(Option.some(Closing.subscription(kind, HOST)))
      yield* Effect.acquireRelease(
        Effect.sync(() => streams.add(end)),
        () => Effect.sync(() => streams.delete(end))
      )
      const sink: Sink = (result, last) => {
        if (!unread.offer(result, weigh(result))) unread.end(Option.some(overflow))
        else if (last) unread.end(Option.none())
      }
      const { answer } = yield* Effect.acquireRelease(listen(kind, params, sink), ({ close }) => Effect.sync(close))
      if (answer !== undefined) sink(answer, true)
      const observer = yield* SubscriptionObserver
      yield* observer.established({ host: HOST })
      return unread.stream
    }).pipe(
      Effect.mapError(
        ({ code, message }) => new SubscriptionError({ reason: "Refused", method, code, detail: message })
      )
    )
  )
}
