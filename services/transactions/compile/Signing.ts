/**
 * Signs compiled transactions with the layer's recent blockhash, or with their durable nonce.
 *
 * - The same message is signed at most once with one blockhash: both would be one transaction. The second one waits for
 *   a newer blockhash. Two fibers cannot both pass, since a signature is remembered in the step that checks it.
 * - The signatures remembered of one blockhash are bounded: at the bound, the next caller fetches another blockhash.
 * - With a rival, the nonce is the rival's own and is not read again: at most one of both lands.
 * - Whatever waits ends at the limit. Synchronous wallets with a recent blockhash at hand do not wait, so they need no fiber
 *   of their own for it.
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

/** Ends the sentence "its deadline came before …". */
const SIGNED = "it was signed"

/** Signatures remembered of one blockhash. */
const MAX_SIGNED_PER_BLOCKHASH = 4096

/** Signs by the limit. */
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
