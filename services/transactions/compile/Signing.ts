/**
 * Signs compiled transactions with the layer's recent blockhash, or with their durable nonce.
 *
 * - The same message is signed at most once with one blockhash, because both signings would be one transaction. The
 *   second one waits for a newer blockhash. Two fibers cannot both sign: a signature is checked and stored in one step.
 * - The number of stored signatures of one blockhash is bounded. At the bound, the next caller fetches another
 *   blockhash.
 * - With a rival (an earlier transaction that may still land), the rival's nonce is used and not read again. So at most
 *   one of both lands.
 * - Every wait ends at the limit. A synchronous wallet with a cached blockhash waits for nothing, so it needs no
 *   additional fiber.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { InvalidInput } from "../../../src/InvalidInput.js"
import * as Deadline from "../../Deadline.js"
import { endBy, type Limit } from "../../internal/endBy.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import type { WalletError } from "../../Wallet.js"
import type * as BlockhashCache from "../lifetime/BlockhashCache.js"
import type { Nonces } from "../lifetime/Nonces.js"
import * as UnsignedTransaction from "./UnsignedTransaction.js"

/** Completes the error text "its deadline came before …". */
const SIGNED = "it was signed"

/** Maximum stored signatures of one blockhash. */
const MAX_SIGNED_PER_BLOCKHASH = 4096

/** Signs before the limit. */
export type Sign = <A, E>(
  fiber: Fiber.RuntimeFiber<A, E>,
  transaction: UnsignedTransaction.SignableTransaction,
  limit: Limit<RpcError>,
  rival: SignedTransaction | undefined
) => Effect.Effect<SignedTransaction, InvalidInput | RpcError | WalletError>

const isSynchronous = (transaction: UnsignedTransaction.SignableTransaction): boolean =>
  transaction.signers.every(({ synchronous }) => synchronous === true)

export const make = (blockhashes: BlockhashCache.BlockhashCache, nonces: Pick<Nonces, "get">): Sign => {
  const signWith = (
    transaction: UnsignedTransaction.SignableTransaction,
    recent: BlockhashCache.RecentBlockhash,
    limit: Limit<RpcError>
  ): Effect.Effect<SignedTransaction, RpcError | WalletError> =>
    UnsignedTransaction.sign(transaction, recent.lifetime, recent.slot, (signed) => {
      const { blockhash, signatures } = recent
      const known = signatures.size
      if (signatures.add(signed.signature).size === known) {
        return endBy(
          limit,
          SIGNED
        )(
          Effect.flatMap(Deadline.at(limit.at)(blockhashes.newerThan(blockhash)), (newer) =>
            signWith(transaction, newer, limit)
          )
        )
      }
      if (signatures.size >= MAX_SIGNED_PER_BLOCKHASH) blockhashes.invalidate(blockhash)
      return Effect.succeed(signed)
    })

  const withFetched = (
    transaction: UnsignedTransaction.SignableTransaction,
    limit: Limit<RpcError>
  ): Effect.Effect<SignedTransaction, InvalidInput | RpcError | WalletError> =>
    transaction.nonce === undefined
      ? Effect.flatMap(Deadline.at(limit.at)(blockhashes.get), (fetched) => signWith(transaction, fetched, limit))
      : Effect.flatMap(Deadline.at(limit.at)(nonces.get(transaction.nonce)), ({ lifetime, slot }) =>
          UnsignedTransaction.sign(transaction, lifetime, slot)
        )

  return (fiber, transaction, limit, rival) => {
    const ends = endBy(limit, SIGNED)
    if (rival !== undefined) {
      return ends(UnsignedTransaction.sign(transaction, rival.lifetime, rival.minContextSlot ?? 0n))
    }
    const recent = transaction.nonce === undefined ? blockhashes.peek(fiber) : undefined
    if (recent === undefined) return ends(withFetched(transaction, limit))
    const signing = signWith(transaction, recent, limit)
    return isSynchronous(transaction) ? signing : ends(signing)
  }
}
