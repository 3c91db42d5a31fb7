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

/** A node that gave a status at `confirmed` may be followed by one that lags some slots behind it, 8 s at most. */
const SLOT = Duration.millis(400)
const MAX_SLOTS_TO_WAIT = 20

/** Accounts and signatures in a generation: about 1 MB in all. */
const REMEMBERED = 4096

/** The durable nonces that a layer signs with. */
export interface Nonces {
  /**
   * What the account holds as `confirmed`: a finalized bank would be 13 s behind each use, and a processed one may be
   * left, with which what was signed would expire. Not what a transaction of this layer has used already: a node that
   * says so lags, or the fork was left on which that was only processed.
   */
  readonly get: (
    nonce: NonceAccount.NonceInput
  ) => Effect.Effect<{ readonly lifetime: NonceLifetime; readonly slot: bigint }, InvalidInput | RpcError>
  /** Lets one use of an account at a time run; the others wait in the order in which they came. */
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
   * Whether the bytes are on their way, by an earlier send whose outcome is not known: the same instructions with the
   * same nonce are the same transaction.
   */
  readonly isUnderWay: (signature: Signature) => boolean
}

const refuse = (rule: string) => Either.left(new InvalidInput({ field: "durableNonce", rule }))

/** The nonce that this authority can use. */
const usable = (
  { account, authority }: NonceAccount.NonceInput,
  info: Option.Option<AccountInfo>
): Either.Either<Blockhash, InvalidInput> => {
  if (Option.isNone(info)) return refuse(`${account} must be a nonce account, and is no account`)
  const { data, owner } = info.value
  if (owner !== Addresses.SYSTEM_PROGRAM) return refuse(`${account} must be a nonce account, and belongs to ${owner}`)
  const decoded = NonceAccount.decode(data)
  if (Either.isLeft(decoded)) return refuse(`${account} must be a nonce account: ${decoded.left.detail}`)
  const { right: nonce } = decoded
  if (nonce._tag === "Uninitialized") return refuse(`${account} must be initialized`)
  if (nonce.version === "legacy") return refuse(`${account} must be upgraded: no transaction can use a legacy nonce`)
  return nonce.authority === authority
    ? Either.right(nonce.nonce)
    : refuse(`the authority of ${account} must be ${authority}, and is ${nonce.authority}`)
}

/** What an outcome says of the nonce: it is used, it is not, or nothing. */
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
        const { slot, value } = yield* pool.getAccountInfo(account, { commitment: "confirmed" })
        const nonce = yield* usable(input, value)
        const last = used.get(account)
        const mayBeLeft = last?.isSure === false && slots === MAX_SLOTS_TO_WAIT
        if (last?.nonce !== nonce || mayBeLeft) return { lifetime: model({ nonce, account }), slot }
      }
      return yield* new RpcError({
        reason: "Timeout",
        method: "getAccountInfo",
        detail: `the node still says that ${account} holds a nonce which was used`
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
