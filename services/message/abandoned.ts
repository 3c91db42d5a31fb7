/**
 * Removes stored payloads to which no message can refer any more.
 *
 * - A payload that several sends may share is never removed: it has an id, or bare bytes.
 * - The payload of a single send is removed after the send failed and none of its transactions can land: at once if no
 *   signed transaction is open, else in the background, after `Expired` or `Rejected` was proven for each.
 * - It stays if that cannot be proven: the outcome is unknown, a durable nonce has no expiry, too many payloads are
 *   watched already, or the service is closed.
 *
 * Excluded race: a store may continue to write after its caller was interrupted, so the removal waits for the end of
 * the write.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Hash from "../../src/solana/Hash.js"
import * as PayloadStore from "../PayloadStore.js"
import type { WriteError } from "../ProgramAccount.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import * as Transactions from "../Transactions.js"

/** The payload of one send, and the transactions that were signed to record it. */
export interface Stored {
  readonly hash: Uint8Array
  readonly isShared: boolean
  readonly signed: Array<SignedTransaction>
}

export interface Abandoned {
  /** Removes parts for whose storing the caller did not wait. Call it when the store has ended. */
  readonly leave: (parts: Uint8Array | ReadonlyArray<Uint8Array>) => void
  /** Handles a failed send: `error` is its failure, or `undefined` after an interruption. */
  readonly abandon: (stored: Stored, error: WriteError | undefined) => void
}

/** Maximum payloads that are watched at a time. Each keeps its signed transactions, about 2 KB. */
const MAX_WATCHED = 1024

/** A blockhash lives 150 blocks, 60 to 90 seconds. An earlier check proves nothing. */
const LIFETIME = Duration.seconds(90)

/** Time limit of the proof after that. */
const PROOF_TIMEOUT = Duration.minutes(2)

/** Whether the error proves that the transaction cannot land any more. */
const isOver = (error: WriteError | undefined, { signature }: SignedTransaction): boolean => {
  switch (error?._tag) {
    case "TransactionError":
      return error.signature === signature && error.reason !== "Unconfirmed" && error.mayHaveLanded !== true
    case "ProgramError":
      return error.signature === signature && error.mayHaveLanded !== true
    default:
      return false
  }
}

export const make: Effect.Effect<
  Abandoned,
  never,
  PayloadStore.PayloadStore | Scope.Scope | Transactions.Transactions
> = Effect.gen(function* () {
  const payloads = yield* PayloadStore.PayloadStore
  const { watch } = yield* Transactions.Transactions
  const scope = yield* Effect.scope
  const runtime = yield* Effect.runtime()
  let watched = 0

  const remove = (hash: Uint8Array): Effect.Effect<void> => Effect.ignore(payloads.remove(hash))

  /** Runs in the background: callers wait neither for a slow removal nor for an outcome. */
  const inBackground = (effect: Effect.Effect<void>): void => void Runtime.runFork(runtime)(effect, { scope })

  const cannotLand = (signed: SignedTransaction): Effect.Effect<boolean> =>
    Effect.match(watch(signed, { timeout: PROOF_TIMEOUT }), {
      onFailure: (error) => isOver(error._tag === "RpcError" ? undefined : error, signed),
      onSuccess: () => false
    })

  const removeWhenOver = (hash: Uint8Array, signed: ReadonlyArray<SignedTransaction>): Effect.Effect<void> =>
    Effect.sleep(LIFETIME).pipe(
      Effect.zipRight(Effect.forEach(signed, cannotLand)),
      Effect.flatMap((over) => (over.includes(false) ? Effect.void : remove(hash))),
      Effect.ensuring(Effect.sync(() => void watched--))
    )

  return {
    leave: (parts) => inBackground(remove(Hash.sha256Parts(parts instanceof Uint8Array ? [parts] : parts))),
    abandon: ({ hash, isShared, signed }, error) => {
      if (isShared) return
      const open = signed.filter((one) => !isOver(error, one))
      if (open.length === 0) return inBackground(remove(hash))
      if (watched >= MAX_WATCHED || open.some(({ lifetime }) => "nonce" in lifetime)) return
      watched++
      inBackground(removeWhenOver(hash, open))
    }
  }
})
