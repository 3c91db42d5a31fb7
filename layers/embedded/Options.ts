/** The options of an embedded cluster: block production, start of its time, and limits. */
import type { Address } from "@solana/kit"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Check from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"

/**
 * A program to load at genesis.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramImage {
  /** The program's address. */
  readonly address: Address
  /** The bytes of its ELF (`.so`) file. */
  readonly elf: Uint8Array
}

/**
 * An account to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountImage {
  readonly address: Address
  readonly lamports: bigint
  readonly owner: Address
  readonly data: Uint8Array
  /**
   * Whether the account is a program. Default false. A loader's account must hold a program that the runtime loads; the
   * account with the bytes of an upgradeable program must be set first.
   */
  readonly executable?: boolean
  /** Default 2^64 - 1, the rent epoch of rent-exempt accounts. */
  readonly rentEpoch?: bigint
}

/**
 * Options of an embedded cluster. Every limit is finite by default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Block production. `"instant"` (default): each accepted transaction makes a block at once, which reaches every
   * commitment. `"interval"`: a block each `slotDuration`, confirmed one slot later, finalized 32 slots later.
   */
  readonly blockMode?: "instant" | "interval"
  /**
   * Duration of a slot, from 1 millisecond to one day. Default 400 milliseconds, as on Solana. Too low: blockhashes expire
   * before slow clients use them. Too high: confirmations are late. Instant mode uses it for `passingSlots`.
   */
  readonly slotDuration?: Duration.DurationInput
  /**
   * Transactions in a block of instant mode. Default 1. With more, a block closes when it is full, when a client
   * requests a newer blockhash, or when a slot passes. Its transactions are final at once. Too low: each send pays for
   * a block. Too high: `getBlock` waits for the newest block. Interval mode ignores this option.
   */
  readonly transactionsPerBlock?: number
  /**
   * Whether `sendTransaction` checks signatures. Default true. `false` saves the time of the check, but anybody can then
   * spend from any account: it is for tests without forgery. A signature still identifies one transaction. A second
   * transaction with the same signature is `AlreadyProcessed` while the status of the first is kept (`maxStatuses`).
   */
  readonly verifySignatures?: boolean
  /**
   * Whether slots pass by the Clock in instant mode, one each `slotDuration`, while a client waits for them. Clients wait
   * while they subscribe to slots or roots. They also wait between repeated requests for the slot, the height or the
   * validity of a blockhash. Default true. With `false`, only transactions make blocks, and such clients wait for ever.
   * Interval mode ignores this option.
   */
  readonly passingSlots?: boolean
  /**
   * Unix time of genesis in whole seconds. Default: the Clock's time when the cluster starts, which is 0 under
   * `TestClock`. The chain's time is this plus the time that passed on the monotonic Clock since the start.
   */
  readonly genesisTime?: bigint
  /**
   * Blocks during which a blockhash is valid. Default 150 in interval mode, as on Solana (about one minute). Default
   * 10,000 in instant mode, where every transaction is a block and 150 blocks can pass within milliseconds. Too low:
   * cached blockhashes expire early: web3.js keeps one for 30 seconds, in which more than 333 blocks a second exceed 10,000.
   * Too high: about 150 bytes per block.
   */
  readonly blockhashLifetime?: number
  /**
   * Blocks kept for `getBlock` and related methods. Default 10,000. Too low: requests for recent blocks get "cleaned
   * up". Too high: more memory.
   */
  readonly maxBlocks?: number
  /**
   * Transactions kept for `getTransaction` and `getSignaturesForAddress`. Default 10,000, a few kilobytes each. Too
   * low: recent transactions are missing. Too high: more memory.
   */
  readonly maxTransactions?: number
  /**
   * Signatures kept for `getSignatureStatuses` and for the duplicate check. Default 10,000. Too low: at the limit, the
   * oldest blockhashes expire early, so that no transaction runs twice. Too high: more memory.
   */
  readonly maxStatuses?: number
  /**
   * Maximum concurrent subscriptions over all connections. Default 100,000. Too low: further subscriptions are refused,
   * as by a full Solana node. Too high: more memory.
   */
  readonly maxSubscriptions?: number
  /**
   * Maximum queued notifications of one slow reader. Default 16,384. Too low: a burst fails the subscription (in process)
   * or the connection (served), so that no notification is lost silently. Too high: more memory for a stopped reader.
   */
  readonly maxPendingNotifications?: number
  /**
   * Maximum bytes of log text of a transaction, after which the runtime writes `Log truncated`. Default 10,000, as on
   * Solana. Too low: events in the log are lost. Too high: logs that Solana would truncate pass.
   */
  readonly maxLogBytes?: number
  /** Lamports of the faucet at genesis, the limit of all airdrops together. Default 500,000,000 SOL. */
  readonly faucetLamports?: bigint
  /**
   * A folder that keeps the chain across restarts. Default: none, the chain is in memory. A transaction that a client
   * knows to have landed survives a kill of the process. A start reads an earlier state and replays the later inputs.
   * `snapshot` works, but `restore` does not.
   */
  readonly ledger?: string
  /**
   * Inputs (transactions, slots, written accounts) after which an image of the state replaces the log of the ledger
   * folder. Default 10,000, which a start replays in about a second. Too low: the state, some megabytes, is written
   * often. Too high: slow starts.
   */
  readonly maxLedgerInputs?: number
  /** Whether to start a new ledger in the folder. Default false. */
  readonly resetLedger?: boolean
  /** Programs to load besides the PoD program. Default none. */
  readonly programs?: ReadonlyArray<ProgramImage>
  /** Accounts of genesis, set after the programs. Default none. Lamports 0 removes an account. */
  readonly accounts?: ReadonlyArray<AccountImage>
  /** Whether to load the PoD program of this package at its address. Default true. */
  readonly podProgram?: boolean
}

/** Options with defaults applied and ranges checked. */
export interface Settings {
  readonly blockMode: "instant" | "interval"
  readonly slotMillis: number
  readonly transactionsPerBlock: number
  readonly verifySignatures: boolean
  readonly passingSlots: boolean
  readonly genesisTime: bigint | undefined
  readonly blockhashLifetime: number
  readonly maxBlocks: number
  readonly maxTransactions: number
  readonly maxStatuses: number
  readonly maxSubscriptions: number
  readonly maxPendingNotifications: number
  readonly maxLogBytes: number
  readonly faucetLamports: bigint
  readonly ledger: string | undefined
  readonly maxLedgerInputs: number
  readonly resetLedger: boolean
  readonly programs: ReadonlyArray<ProgramImage>
  readonly accounts: ReadonlyArray<AccountImage>
  readonly podProgram: boolean
}

const MAX_UNIX_TIME = 2n ** 53n - 1n
const MAX_LAMPORTS = 2n ** 63n - 1n

/** One day. */
const MAX_SLOT_MILLIS = 86_400_000

/** Applies the defaults and checks the ranges. */
export const resolve = (options: Options = {}): Either.Either<Settings, InvalidInput> =>
  Either.gen(function* () {
    const blockMode = options.blockMode ?? "instant"
    const count = (field: Count, value: number) => Check.integer(field, options[field] ?? value, 1)
    return {
      blockMode,
      slotMillis: yield* Check.millisBetween("slotDuration", options.slotDuration ?? "400 millis", 1, MAX_SLOT_MILLIS),
      transactionsPerBlock: yield* count("transactionsPerBlock", 1),
      verifySignatures: options.verifySignatures ?? true,
      passingSlots: options.passingSlots ?? true,
      genesisTime:
        options.genesisTime === undefined
          ? undefined
          : yield* Check.bigInteger("genesisTime", options.genesisTime, 0n, MAX_UNIX_TIME),
      blockhashLifetime: yield* count("blockhashLifetime", blockMode === "interval" ? 150 : 10_000),
      maxBlocks: yield* count("maxBlocks", 10_000),
      maxTransactions: yield* count("maxTransactions", 10_000),
      maxStatuses: yield* count("maxStatuses", 10_000),
      maxSubscriptions: yield* count("maxSubscriptions", 100_000),
      maxPendingNotifications: yield* count("maxPendingNotifications", 16_384),
      maxLogBytes: yield* count("maxLogBytes", 10_000),
      faucetLamports: yield* Check.bigInteger(
        "faucetLamports",
        options.faucetLamports ?? 500_000_000_000_000_000n,
        0n,
        MAX_LAMPORTS
      ),
      ledger: options.ledger,
      maxLedgerInputs: yield* count("maxLedgerInputs", 10_000),
      resetLedger: options.resetLedger ?? false,
      programs: options.programs ?? [],
      accounts: options.accounts ?? [],
      podProgram: options.podProgram ?? true
    }
  })

/** The options that are counts. */
type Count =
  | "blockhashLifetime"
  | "maxLogBytes"
  | "maxBlocks"
  | "maxLedgerInputs"
  | "maxPendingNotifications"
  | "maxStatuses"
  | "maxSubscriptions"
  | "maxTransactions"
  | "transactionsPerBlock"
