import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as RetryPolicy from "../../RetryPolicy.js"
import * as Decode from "../../rpc/Decode.js"
import * as Decoders from "../../rpc/Decoders.js"
import type { Contextual, SignatureStatus } from "../../RpcPool.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import { RpcError } from "../../RpcTransport.js"

/** Statuses of old transactions, and where the ledger begins in which they were looked up. */
export interface StatusHistory extends Contextual<ReadonlyArray<Option.Option<SignatureStatus>>> {
  /** Of what landed before, the node knows nothing. */
  readonly firstSlot: bigint
}

const STATUSES = "getSignatureStatuses"
const FIRST = "getFirstAvailableBlock"

const read = <A>(
  method: string,
  decode: Decode.Decoder<A>,
  answer: Either.Either<unknown, RpcError> | undefined
): Either.Either<A, RpcError> =>
  answer === undefined
    ? Either.left(new RpcError({ reason: "Decode", method, detail: "it was not answered" }))
    : Either.flatMap(answer, (result) =>
        Either.mapLeft(
          decode(result),
          ({ expected, path }) =>
            new RpcError({ reason: "Decode", method, detail: `expected ${expected} at result${path}` })
        )
      )

/** Asks both of one node, in one array that no retry splits: another's ledger may begin elsewhere. */
export const make =
  (pool: Pick<RpcPool, "batch">) =>
  (signatures: ReadonlyArray<Signature>): Effect.Effect<StatusHistory, RpcError> =>
    pool
      .batch([
        { method: STATUSES, params: [signatures, { searchTransactionHistory: true }] },
        { method: FIRST, params: [] }
      ])
      .pipe(
        RetryPolicy.never,
        Effect.flatMap(([statuses, first]) =>
          Either.all({
            statuses: read(
              STATUSES,
              Decoders.contextual(Decode.forEach(signatures, () => Decode.optional(Decoders.signatureStatus))),
              statuses
            ),
            firstSlot: read(FIRST, Decode.u64, first)
          })
        ),
        Effect.map(({ firstSlot, statuses }) => ({ ...statuses, firstSlot }))
      )
