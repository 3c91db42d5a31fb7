/**
 * Signs compiled transactions with the layer's recent blockhash, or with their durable nonce.
 *
 * - The same message is signed at most once with one blockhash: both would be one transaction. The second one waits for
 *   a newer blockhash. Two fibers cannot both pass, since a signature is remembered in the step that checks it.
 * - The signatures remembered of one blockhash are bounded: at the bound, the next caller fetches another blockhash.
 * - With a rival, the nonce is the rival's own and is not read again: at most one of both lands.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { InvalidInput } from "../../../src/InvalidInput.js"
import * as Deadline from "../../Deadline.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import type { WalletError } from "../../Wallet.js"
import type * as BlockhashCache from "../lifetime/BlockhashCache.js"
import type { Nonces } from "../lifetime/Nonces.js"
import * as UnsignedTransaction from "./UnsignedTransaction.js"

/** Signatures remembered of one blockhash. */
const MAX_SIGNED_PER_BLOCKHASH = 4096

/** Signs by the deadline, in milliseconds of the monotonic clock. */
export type Sign = <A, E>(
  fiber: Fiber.RuntimeFiber<A, E>,
  transaction: UnsignedTransaction.SignableTransaction,
  deadline: number,
  rival: SignedTransaction | undefined
) => Effect.Effect<SignedTransaction, InvalidInput | RpcError | WalletError>

export const make = (blockhashes: BlockhashCache.BlockhashCache, nonces: Pick<Nonces, "get">): Sign => {
  const signWith = (
    transaction: UnsignedTransaction.SignableTransaction,
    recent: BlockhashCache.RecentBlockhash,
    deadline: number
  ): Effect.Effect<SignedTransaction, RpcError | WalletError> =>
    UnsignedTransaction.sign(transaction, recent.lifetime, recent.slot, (signed) => {
      const { blockhash, signatures } = recent
      const known = signatures.size
      if (signatures.add(signed.signature).size === known) {
        return Effect.flatMap(Deadline.at(deadline)(blockhashes.newerThan(blockhash)), (newer) =>
          signWith(transaction, newer, deadline)
        )
      }
      return signatures.size < MAX_SIGNED_PER_BLOCKHASH
        ? Effect.succeed(signed)
        : Effect.as(blockhashes.invalidate(blockhash), signed)
    })

  return (fiber, transaction, deadline, rival) => {
    if (rival !== undefined) return UnsignedTransaction.sign(transaction, rival.lifetime, rival.minContextSlot ?? 0n)
    if (transaction.nonce !== undefined) {
      return Effect.flatMap(Deadline.at(deadline)(nonces.get(transaction.nonce)), ({ lifetime, slot }) =>
        UnsignedTransaction.sign(transaction, lifetime, slot)
      )
    }
    const recent = blockhashes.peek(fiber)
    return recent === undefined
      ? Effect.flatMap(Deadline.at(deadline)(blockhashes.get), (fetched) => signWith(transaction, fetched, deadline))
      : signWith(transaction, recent, deadline)
  }
}
