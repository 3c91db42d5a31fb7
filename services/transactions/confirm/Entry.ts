/** One transaction that waits for its outcome. */
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
  /** Agave's transaction error, `null` where it succeeded. */
  readonly err: unknown
}

export interface WaitOptions {
  readonly commitment: Commitment
  /** When it arrived, in milliseconds of the monotonic clock. */
  readonly since: number
  /** On the same clock. */
  readonly deadline: number
}

/** Milliseconds after which the first sending is given up: it may simulate, over a connection that is not made yet. */
const FIRST_SENDING = 10_000

/** Thousands of them may wait at once, so an entry has few fields and no closures of its own. */
export class Entry implements Member {
  place = -1
  readonly signed: SignedTransaction
  readonly commitment: Commitment
  deadline: number
  readonly since: number
  rebroadcastAt: number
  /** The slot of the bank that answered its first look-up. */
  firstSlot: bigint | undefined = undefined
  /** The round of look-ups after which it is `Unconfirmed`, if the process stood still until its deadline. */
  lastRound = Infinity
  /** The last look-up found it, below its commitment. */
  seen = false
  hint: Fiber.RuntimeFiber<void, unknown> | undefined = undefined
  /** Gives the first sending up, while it is under way. */
  giveUp: (() => void) | undefined = undefined
  /** The refusal that is its outcome, unless a look-up finds it. */
  refusal: TransactionError | undefined = undefined

  constructor(
    readonly transmission: Transmission,
    { commitment, deadline, since }: WaitOptions,
    /** The trace of its caller, which look-ups and rebroadcasts are shown in. */
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
