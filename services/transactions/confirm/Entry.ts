/** One transaction in flight. */
import type { Commitment } from "@solana/kit"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Trace } from "../../internal/traced.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import type { TransactionError } from "../TransactionError.js"
import type { Member } from "./IndexedSet.js"
import type { Transmission } from "./Transmission.js"

/** A transaction that reached its commitment. */
export interface Landed {
  readonly slot: bigint
  /** Agave's transaction error; `null` if the transaction succeeded. */
  readonly err: unknown
}

export interface WaitOptions {
  readonly commitment: Commitment
  /** Time of its arrival, in milliseconds of the monotonic clock. */
  readonly since: number
  /** The deadline of its caller, on the same clock. */
  readonly deadline: number
}

/**
 * Milliseconds after which the first sending is aborted. It may include a simulation and the opening of a connection.
 */
const FIRST_SENDING = 10_000

/** Thousands may be in flight, so an entry has few fields and no closures. */
export class Entry implements Member {
  place = -1
  readonly signed: SignedTransaction
  readonly commitment: Commitment
  deadline: number
  readonly since: number
  rebroadcastAt: number
  /** The slot of the bank that answered its first look-up. */
  firstSlot: bigint | undefined = undefined
  /** The round of look-ups after which it is `Unconfirmed`, if the process was stalled at its deadline. */
  lastRound = Infinity
  /** Whether the last look-up found it, below its commitment. */
  seen = false
  hint: Fiber.RuntimeFiber<void, unknown> | undefined = undefined
  /** Aborts the first sending, while that is in progress. */
  giveUp: (() => void) | undefined = undefined
  /** The refusal that becomes its outcome, unless a look-up finds the transaction. */
  refusal: TransactionError | undefined = undefined

  constructor(
    readonly transmission: Transmission,
    { commitment, deadline, since }: WaitOptions,
    /** The trace of its caller, in which look-ups and rebroadcasts appear. */
    readonly trace: Trace | undefined,
    readonly resume: (outcome: Effect.Effect<Landed, RpcError | TransactionError>) => void
  ) {
    this.signed = transmission.signed
    this.commitment = commitment
    this.deadline = deadline
    this.since = since
    this.rebroadcastAt = since + FIRST_SENDING
  }
}
