/**
 * The durable nonces of a service.
 *
 * - Of all transactions signed with one nonce, one can land. So uses of one account run one after another.
 * - A nonce that a transaction of this service has used is not returned again, even if a lagging node still reports it.
 *   `get` waits up to 8 seconds for the next one. A fork may undo a use that was only `processed`, so after that wait
 *   its nonce is returned again.
 * - Bytes with an unknown outcome stay "under way". The same instructions with the same nonce are the same transaction,
 *   so a new send of them continues it.
 */
import type { Address, Blockhash, Commitment, Signature } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { BoundedCache } from "../../../src/internal/BoundedCache.js"
import { model } from "../../../src/internal/jsonable.js"
import { InvalidInput } from "../../../src/InvalidInput.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as NonceAccount from "../../../src/solana/NonceAccount.js"
import type { Limit } from "../../internal/endBy.js"
import * as FifoSemaphore from "../../internal/FifoSemaphore.js"
import type { AccountInfo } from "../../RpcPool.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import { RpcError } from "../../RpcTransport.js"
import type { NonceLifetime, SignedTransaction } from "../../SignedTransaction.js"
import type { Receipt } from "../Model.js"
import type { TransactionError } from "../TransactionError.js"

/** Waits for a node that lags behind the node of a `confirmed` status: at most 20 slots, 8 s. */
const SLOT = Duration.millis(400)
const MAX_SLOTS_TO_WAIT = 20

/** Maximum accounts and signatures in a generation: about 1 MB in all. */
const REMEMBERED = 4096

export interface Nonces {
  /**
   * The nonce of the account in a `confirmed` bank. A finalized bank would lag 13 s behind each use. A processed bank
   * may be abandoned, and then the transaction expires.
   */
  readonly get: (
    nonce: NonceAccount.NonceInput
  ) => Effect.Effect<{ readonly lifetime: NonceLifetime; readonly slot: bigint }, InvalidInput | RpcError>
  /** Runs one use of an account at a time, in the order of the calls. */
  readonly inTurn: <A, E, R, L>(
    account: Address,
    use: Effect.Effect<A, E, R>,
    limit: Limit<L>
  ) => Effect.Effect<A, E | L, R>
  /** Records whether the nonce was consumed, at the given commitment, and whether the bytes are still under way. */
  readonly learn: (
    signed: SignedTransaction,
    lifetime: NonceLifetime,
    commitment: Commitment,
    delivery: Effect.Effect<Receipt, RpcError | TransactionError>
  ) => Effect.Effect<Receipt, RpcError | TransactionError>
  /**
   * Whether an earlier send of these bytes has an unknown outcome.
   */
  readonly isUnderWay: (signature: Signature) => boolean
}

const refuse = (rule: string) => Either.left(new InvalidInput({ field: "durableNonce", rule }))

/** The nonce of an account, if this authority can use it. */
const usable = (
  { account, authority }: NonceAccount.NonceInput,
  info: Option.Option<AccountInfo>
): Either.Either<Blockhash, InvalidInput> => {
  if (Option.isNone(info)) return refuse(`${account} must be a nonce account, but does not exist`)
  const { data, owner } = info.value
  if (owner !== Addresses.SYSTEM_PROGRAM) return refuse(`${account} must be a nonce account, but its owner is ${owner}`)
  const decoded = NonceAccount.decode(data)
  if (Either.isLeft(decoded)) return refuse(`${account} must be a nonce account: ${decoded.left.detail}`)
  const { right: nonce } = decoded
  if (nonce._tag === "Uninitialized") return refuse(`${account} must be initialized`)
  if (nonce.version === "legacy") return refuse(`${account} must be upgraded: no transaction can use a legacy nonce`)
  return nonce.authority === authority
    ? Either.right(nonce.nonce)
    : refuse(`the authority of ${account} must be ${authority}, but is ${nonce.authority}`)
}

/** The state of the nonce that an outcome proves, if any. */
const verdict = (exit: Exit.Exit<unknown, RpcError | TransactionError>): "used" | "unused" | "unknown" => {
  if (Exit.isSuccess(exit)) return "used"
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  switch (error?.reason) {
    case undefined:
    case "Unconfirmed":
      return "unknown"
    case "Expired":
    case "Rejected":
      return "used"
    default:
      return "unused"
  }
}

export const make = (pool: Pick<RpcPool, "getAccountInfo">): Nonces => {
  const turns = new Map<Address, { readonly semaphore: FifoSemaphore.FifoSemaphore; users: number }>()
  const used = new BoundedCache<Address, { readonly nonce: Blockhash; readonly isSure: boolean }>(REMEMBERED)
  const underWay = new BoundedCache<Signature, boolean>(REMEMBERED)

  const enter = (account: Address) =>
    Effect.sync(() => {
      const turn = turns.get(account) ?? { semaphore: FifoSemaphore.make(1), users: 0 }
      turn.users++
      turns.set(account, turn)
      return turn
    })

  return {
    get: Effect.fnUntraced(function* (input) {
      const { account } = input
      for (let slots = 0; slots <= MAX_SLOTS_TO_WAIT; slots++) {
        if (slots > 0) yield* Effect.sleep(SLOT)
        const { slot, value } = yield* pool
          .getAccountInfo(account, { commitment: "confirmed" })
          .pipe(Effect.catchTag("InvalidInput", Effect.die))
        const nonce = yield* usable(input, value)
        const last = used.get(account)
        const mayBeLeft = last?.isSure === false && slots === MAX_SLOTS_TO_WAIT
        if (last?.nonce !== nonce || mayBeLeft) return { lifetime: model({ nonce, account }), slot }
      }
      return yield* new RpcError({
        reason: "Timeout",
        method: "getAccountInfo",
        detail: `the node still reports a used nonce for ${account}`
      })
    }),
    inTurn: (account, use, limit) =>
      Effect.acquireUseRelease(
        enter(account),
        ({ semaphore }) => semaphore.withPermit(use, limit),
        (turn) =>
          Effect.sync(() => {
            turn.users--
            if (turn.users === 0) turns.delete(account)
          })
      ),
    learn: ({ signature }, { account, nonce }, commitment, delivery) =>
      Effect.onExit(delivery, (exit) =>
        Effect.sync(() => {
          const known = verdict(exit)
          if (known === "used") used.set(account, { nonce, isSure: commitment !== "processed" })
          underWay.set(signature, known === "unknown")
        })
      ),
    isUnderWay: (signature) => underWay.get(signature) === true
  }
}
