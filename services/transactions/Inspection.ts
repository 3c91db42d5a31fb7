/** The calls that send nothing: the simulation of instructions, and the cluster's record of a transaction. */
import type { Commitment, Instruction, Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { model } from "../../src/internal/jsonable.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import { traced } from "../internal/traced.js"
import type { Service as RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import { Wallet } from "../Wallet.js"
import * as UnsignedTransaction from "./compile/UnsignedTransaction.js"
import * as Failure from "./Failure.js"
import type { SimulateOptions, Simulation, TransactionDetails } from "./Model.js"
import type { TransactionError } from "./TransactionError.js"

export const make = (
  pool: Pick<RpcPool, "getTransaction" | "simulateTransaction">,
  report: (failed: Failure.Failed) => TransactionError,
  defaultCommitment: Commitment
) => ({
  simulate: (
    instructions: ReadonlyArray<Instruction>,
    options: SimulateOptions = {}
  ): Effect.Effect<Simulation, InvalidInput | RpcError | TransactionError, Wallet> =>
    Effect.gen(function* () {
      const wire = UnsignedTransaction.unsigned(yield* UnsignedTransaction.make(yield* Wallet, instructions, options))
      const { slot, value } = yield* pool.simulateTransaction(wire, {
        replaceRecentBlockhash: true,
        commitment: options.commitment ?? defaultCommitment
      })
      const { err, logs, unitsConsumed: units } = value
      if (Failure.succeeded(err)) return model({ slot, logs, units })
      return yield* report({
        reason: "Simulation",
        err,
        logs,
        slot,
        wire,
        hasNonce: options.durableNonce !== undefined
      })
    }).pipe(traced("Transactions.simulate", { "solana.instructions": instructions.length })),

  details: (signature: Signature): Effect.Effect<Option.Option<TransactionDetails>, InvalidInput | RpcError> =>
    pool.getTransaction(signature, { commitment: "confirmed" }).pipe(
      Effect.map(
        Option.flatMap(({ blockTime, meta, slot, wire }) =>
          Option.map(meta, ({ computeUnitsConsumed: units, err, fee, logs }) => {
            const error = Failure.succeeded(err)
              ? Option.none()
              : Option.some(report({ reason: "Rejected", err, logs, slot, wire, signature }))
            return model({ signature, slot, blockTime, fee, logs, units, error })
          })
        )
      ),
      traced("Transactions.details", { "solana.signature": signature })
    )
})
