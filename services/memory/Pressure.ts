/**
 * Computes the memory pressure. A level falls later than it rises, so a value near a threshold changes it only once.
 */
import * as Effect from "effect/Effect"
import * as Check from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"

/** How near the process is to its limits. */
export type Level = "normal" | "high" | "critical"

type Options = { readonly [Name in keyof Thresholds]?: number | undefined }

export interface Thresholds {
  readonly high: number
  readonly critical: number
  /** The amount by which the share must fall below a threshold before the level falls. */
  readonly hysteresis: number
}

/** Shares of the limit from 0 to 1, in order: `hysteresis` below `high`, and `high` below `critical`. */
export const thresholds = (options: Options): Effect.Effect<Thresholds, InvalidInput> =>
  Effect.gen(function* () {
    const critical = yield* Check.between("critical", options.critical ?? 0.9, 0, 1)
    const high = yield* Check.between("high", options.high ?? 0.75, 0, critical)
    const hysteresis = yield* Check.between("hysteresis", options.hysteresis ?? 0.05, 0, high)
    return { high, critical, hysteresis }
  })

/** The level that follows `level` at this share of the limit. */
export const next = (level: Level, share: number, { critical, high, hysteresis }: Thresholds): Level => {
  const [toStayCritical, toStayHigh] = [critical - hysteresis, high - hysteresis]
  if (share >= critical || (level === "critical" && share >= toStayCritical)) return "critical"
  if (share >= high || (level !== "normal" && share >= toStayHigh)) return "high"
  return "normal"
}
