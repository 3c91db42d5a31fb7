/**
 * Which endpoint is asked first.
 */
import type { Slot } from "@solana/kit"
import * as Predicate from "effect/Predicate"
import { slotFrom } from "../internal/slot.js"
import type { Endpoint, Role } from "./Endpoint.js"

/** How much an endpoint that always fails is worse than one that never does, times latency and load. */
const ERROR_PENALTY = 20

/** What a call needs of its endpoint. */
export interface Need {
  readonly role: Role
  readonly minContextSlot: Slot | undefined
}

/** A slot that an endpoint claims, and the milliseconds since it did so. */
interface Claim {
  readonly slot: Slot
  readonly slotAge: number
}

/**
 * Slots by which a node that takes part in its cluster may differ from another: three times the 150 at which a node calls
 * itself unhealthy.
 */
const FAR = 450

/** No cluster makes slots faster. */
const MIN_SLOT_MILLIS = 100

/** The highest slot that a cluster can have reached by now, of which this was claimed. */
const limit = ({ slot, slotAge }: Claim): Slot => slot + BigInt(FAR + Math.floor(slotAge / MIN_SLOT_MILLIS))

/** Slots to count with: what the cluster has reached, and from where on a claim is not believed. */
interface Reach {
  readonly newest: Slot
  readonly limit: Slot
}

/**
 * What the cluster has reached as far as the endpoints say: the newest slot that another endpoint bears out. With three
 * or more that is the second newest. Of two, it is the newer one, unless it is further ahead than time allows since the
 * other was claimed; then the older one. A node that is so far behind is asked first although it is honest: no other
 * endpoint tells it from one whose only rival lies.
 */
export const reach = (claims: ReadonlyArray<Claim>): Reach => {
  const known = claims
    .filter(({ slot }) => slot > 0n)
    .toSorted((a, b) => (a.slot < b.slot ? 1 : a.slot > b.slot ? -1 : 0))
  const [first, second] = known
  if (first === undefined) return { newest: 0n, limit: 0n }
  if (second === undefined) return { newest: first.slot, limit: limit(first) }
  const furthest = limit(second)
  const isBorneOut = known.length < 3 && first.slot <= furthest
  return { newest: isBorneOut ? first.slot : second.slot, limit: furthest }
}

/** How far an endpoint is behind the cluster, or 0. */
export const lagOf = ({ newest }: Reach, slot: Slot): Slot => (newest > slot ? newest - slot : 0n)

/** From the best to the last: those that can answer now, those that lag or claim what is not believed, those that rest. */
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
 * The endpoints that take this role, the best first. By groups: those that can answer now; those that lag, have not
 * reached the slot asked for, or claim one that no other endpoint bears out; those that are not asked at present. In a
 * group, by latency, load and errors over weight. A slot asked for that is not believed itself chooses no endpoint.
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

/** The `minContextSlot` in a call's options. */
export const minContextSlot = (params: ReadonlyArray<unknown>): Slot | undefined => {
  const config = params.findLast(Predicate.isRecord)
  return config === undefined ? undefined : slotFrom(config["minContextSlot"])
}
