/** Reads the state of the cluster from an endpoint, by five concurrent calls. */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { model } from "../../src/internal/jsonable.js"
import { NODE_BEHIND } from "../internal/verdict.js"
import type { Service as RpcPool } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import type { Network } from "./models.js"

/** Number of samples, each of a minute. */
const SAMPLES = 5

const median = (values: ReadonlyArray<bigint>): Option.Option<bigint> =>
  Option.fromNullable(values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[values.length >>> 1])

export const make = (pool: RpcPool, program: Address): Effect.Effect<Network, RpcError> =>
  Effect.gen(function* () {
    const { epoch, fees, isHealthy, samples, version } = yield* Effect.all(
      {
        epoch: pool.getEpochInfo(),
        version: pool.getVersion,
        isHealthy: pool.getHealth.pipe(
          Effect.as(true),
          Effect.catchIf(
            ({ code }) => code === NODE_BEHIND,
            () => Effect.succeed(false)
          )
        ),
        samples: pool.getRecentPerformanceSamples(SAMPLES),
        fees: pool.getRecentPrioritizationFees([program])
      },
      { concurrency: "unbounded" }
    )
    const seconds = samples.reduce((sum, { samplePeriodSecs }) => sum + samplePeriodSecs, 0)
    const transactions = samples.reduce((sum, { numTransactions }) => sum + Number(numTransactions), 0)
    return model({
      slot: epoch.absoluteSlot,
      blockHeight: epoch.blockHeight,
      epoch: epoch.epoch,
      epochProgress: epoch.slotsInEpoch === 0n ? 0 : Number(epoch.slotIndex) / Number(epoch.slotsInEpoch),
      version: version.solanaCore,
      isHealthy,
      transactionsPerSecond: seconds > 0 ? Option.some(transactions / seconds) : Option.none(),
      prioritizationFee: median(fees.map(({ prioritizationFee }) => prioritizationFee))
    })
  }).pipe(Effect.catchTag("InvalidInput", Effect.die))
