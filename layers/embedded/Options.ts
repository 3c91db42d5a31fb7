/** What an embedded cluster can be told: how blocks are made, where its time starts, what it keeps. */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type { Address } from "@solana/kit"
import * as Check from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"

/** A program to load at genesis. */
export interface ProgramImage {
  /** Where the program lives. */
  readonly address: Address
  /** The bytes of its ELF (`.so`) file. */
  readonly elf: Uint8Array
}

/** Options of an embedded cluster. Every bound has a default; none is endless. */
export interface Options {
  /**
   * How blocks are made. `"instant"` (default): each accepted transaction makes a block at once and every commitment
   * is reached with it. `"interval"`: a block each `slotDuration`, confirmed one slot later, finalized 32 slots later.
   */
  readonly blockMode?: "instant" | "interval"
  /**
   * Length of a slot in interval mode. Default 400 milliseconds, as on Solana. Shorter makes confirmation faster and
   * blockhashes expire sooner; longer the other way. At least 1 millisecond. Instant mode ignores it.
   */
  readonly slotDuration?: Duration.DurationInput
  /**
   * Unix time of genesis in whole seconds. Default: the Clock's time when the cluster starts, which is 0 under
   * `TestClock`. The chain's time is this plus what has passed on the monotonic Clock since.
   */
  readonly genesisTime?: bigint
  /**
   * Blocks during which a blockhash can be used. Default 150 in interval mode, as on Solana (about one minute); 10,000
   * in instant mode, where every transaction is a block and 150 would pass within milliseconds. Too low and cached
   * blockhashes expire under a client; too high costs about 150 bytes a block.
   */
  readonly blockhashLifetime?: number
  /** Blocks kept for `getBlock` and its kin. Default 10,000. Too low: recent blocks answer "cleaned up". */
  readonly maxBlocks?: number
  /** Transactions kept for `getTransaction` and `getSignaturesForAddress`. Default 10,000, a few kilobytes each. */
  readonly maxTransactions?: number
  /**
   * Signatures remembered for `getSignatureStatuses` and against duplicates. Default 10,000. When it is full the
   * oldest blockhashes expire early: a transaction is refused rather than run twice.
   */
  readonly maxStatuses?: number
  /**
   * Subscriptions open at the same time, over all connections. Default 100,000. At the limit a new one is refused,
   * as a full Solana node does.
   */
  readonly maxSubscriptions?: number
  /**
   * Notifications waiting for one slow reader. Default 16,384. At the limit the subscription (in process) or the
   * connection (served) ends with an error, so that no notification is lost unseen.
   */
  readonly maxPendingNotifications?: number
  /** Bytes of log text kept for a transaction; then the runtime writes `Log truncated`. Default 10,000, as Solana's. */
  readonly logBytesLimit?: number
  /** Lamports of the faucet at genesis, which bounds all airdrops together. Default 500,000,000 SOL. */
  readonly faucetLamports?: bigint
  /** Programs to load beside the PoD program. Default none. */
  readonly programs?: ReadonlyArray<ProgramImage>
  /** Whether the PoD program that comes with this package is loaded at its address. Default true. */
  readonly podProgram?: boolean
}

/** Options with their defaults filled in and their ranges checked. */
export interface Settings {
  readonly blockMode: "instant" | "interval"
  readonly slotMillis: number
  readonly genesisTime: bigint | undefined
  readonly blockhashLifetime: number
  readonly maxBlocks: number
  readonly maxTransactions: number
  readonly maxStatuses: number
  readonly maxSubscriptions: number
  readonly maxPendingNotifications: number
  readonly logBytesLimit: number
  readonly faucetLamports: bigint
  readonly programs: ReadonlyArray<ProgramImage>
  readonly podProgram: boolean
}

const MAX_UNIX_TIME = 2n ** 53n - 1n
const MAX_LAMPORTS = 2n ** 63n - 1n

/** A day. */
const MAX_SLOT_MILLIS = 86_400_000

/** Fills in the defaults and checks the ranges. */
export const resolve = (options: Options = {}): Either.Either<Settings, InvalidInput> =>
  Either.gen(function* () {
    const blockMode = options.blockMode ?? "instant"
    const count = (field: Count, value: number) => Check.integer(field, options[field] ?? value, 1)
    return {
      blockMode,
      slotMillis: yield* Check.millisBetween("slotDuration", options.slotDuration ?? "400 millis", 1, MAX_SLOT_MILLIS),
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
      logBytesLimit: yield* count("logBytesLimit", 10_000),
      faucetLamports: yield* Check.bigInteger(
        "faucetLamports",
        options.faucetLamports ?? 500_000_000_000_000_000n,
        0n,
        MAX_LAMPORTS
      ),
      programs: options.programs ?? [],
      podProgram: options.podProgram ?? true
    }
  })

/** The options that are counts. */
type Count =
  | "blockhashLifetime"
  | "logBytesLimit"
  | "maxBlocks"
  | "maxPendingNotifications"
  | "maxStatuses"
  | "maxSubscriptions"
  | "maxTransactions"
