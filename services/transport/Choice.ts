/**
 * Orders the endpoints for a call, the best first.
 */
import type { Slot } from "@solana/kit"
import * as Predicate from "effect/Predicate"
import { furthest } from "../internal/falseSlot.js"
import { slotFrom } from "../internal/slot.js"
import type { Endpoint, Role } from "./Endpoint.js"

/** An endpoint that always fails gets 1 + 20 times the score of one that never fails. The lowest score is the best. */
const ERROR_PENALTY = 20

/** The requirements of a call. */
export interface Need {
  readonly role: Role
  readonly minContextSlot: Slot | undefined
}

/** A slot that an endpoint reported, and the milliseconds since the report. */
interface Claim {
  readonly slot: Slot
  readonly slotAge: number
}

/** The highest slot that a cluster can have reached since the report of a claim. */
const limit = ({ slot, slotAge }: Claim): Slot => furthest(slot, slotAge)

/** The newest confirmed slot of the cluster, and the highest credible claim. */
interface Reach {
  readonly newest: Slot
  readonly limit: Slot
}

/**
 * The newest slot that a second endpoint confirms. With three or more claims that is the second newest.
 *
 * Of two claims, it is the newer one if the cluster can have advanced that far since the older one. Otherwise it is the
 * older one, because the newer one may be a lie. So if the older endpoint only lags, it is still preferred.
 */
export const reach = (claims: ReadonlyArray<Claim>): Reach => {
  const known = claims
    .filter(({ slot }) => slot > 0n)
    .toSorted((a, b) => (a.slot < b.slot ? 1 : a.slot > b.slot ? -1 : 0))
  const [first, second] = known
  if (first === undefined) return { newest: 0n, limit: 0n }
  if (second === undefined) return { newest: first.slot, limit: limit(first) }
  const furthest = limit(second)
  const isCredible = known.length < 3 && first.slot <= furthest
  return { newest: isCredible ? first.slot : second.slot, limit: furthest }
}

/** Slots that an endpoint is behind the cluster; 0 if it is not behind. */
export const lagOf = ({ newest }: Reach, slot: Slot): Slot => (newest > slot ? newest - slot : 0n)

/**
 * The group of an endpoint. 0: can answer now. 1: lags, or claims a slot that is not credible. 2: its circuit refuses
 * calls.
 */
const groupOf = (
  health: Claim,
  reach: Reach,
  { maxLag, minContextSlot, rests }: { maxLag: bigint; minContextSlot: Slot | undefined; rests: boolean }
): number => {
  if (rests) return 2
  if (health.slot === 0n) return minContextSlot === undefined ? 0 : 1
  const isBehind = lagOf(reach, health.slot) > maxLag || (minContextSlot !== undefined && health.slot < minContextSlot)
  return isBehind || health.slot > reach.limit ? 1 : 0
}

/**
 * The endpoints with the role of a call, the best first. They are sorted into three groups:
 *
 * 1. Endpoints that can answer now.
 * 2. Endpoints that lag, have not reached `minContextSlot`, or claim a slot that is not credible.
 * 3. Endpoints whose circuit refuses calls.
 *
 * Within a group, the score decides: latency, load and errors, divided by weight. A `minContextSlot` that is not credible
 * is ignored.
 */
export const order = (
  endpoints: ReadonlyArray<Endpoint>,
  need: Need,
  maxLag: number,
  now: number
): ReadonlyArray<Endpoint> => {
  const candidates = endpoints.filter(({ roles }) => roles.has(need.role))
  if (candidates.length < 2) return candidates
  const known = candidates.map((endpoint) => ({ endpoint, health: endpoint.health.snapshot(now) }))
  const reached = reach(known.map(({ health }) => health))
  const wanted = need.minContextSlot
  const minContextSlot = wanted !== undefined && wanted > reached.limit && reached.limit > 0n ? undefined : wanted
  return known
    .map(({ endpoint, health }) => ({
      endpoint,
      group: groupOf(health, reached, {
        maxLag: BigInt(maxLag),
        minContextSlot,
        rests: endpoint.circuit.wait(now) > 0
      }),
      score: ((health.latency + 1) * (health.inFlight + 1) * (1 + ERROR_PENALTY * health.errors)) / endpoint.weight
    }))
    .toSorted((a, b) => a.group - b.group || a.score - b.score)
    .map(({ endpoint }) => endpoint)
}

/** The `minContextSlot` in the options of a call. */
export const minContextSlot = (params: ReadonlyArray<unknown>): Slot | undefined => {
  const config = params.findLast(Predicate.isRecord)
  return config === undefined ? undefined : slotFrom(config["minContextSlot"])
}
