/**
 * Which endpoint is asked first.
 */
import type { Slot } from "@solana/kit"
import type { Endpoint, Role } from "./Endpoint.js"
import { slotFrom } from "../internal/slot.js"

/** How much an endpoint that always fails is worse than one that never does, times latency and load. */
const ERROR_PENALTY = 20

/** What a call needs of its endpoint. */
export interface Need {
  readonly role: Role
  readonly minContextSlot: Slot | undefined
}

/**
 * The slot that the cluster has reached as far as the endpoints say: the newest, or with three or more the second newest,
 * so that one that lies about it does not make the others look old.
 */
export const clusterSlot = (slots: ReadonlyArray<Slot>): Slot => {
  const sorted = slots.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0))
  return sorted[sorted.length > 2 ? 1 : 0] ?? 0n
}

/**
 * The endpoints that take this role, the best first. By groups: those that can answer now, those that lag or have not
 * reached the slot asked for, those that are not asked at present. In a group, by latency, load and errors over weight.
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
  const newest = clusterSlot(known.map(({ health }) => health.slot))
  return known
    .map(({ endpoint, health }) => ({
      endpoint,
      group:
        endpoint.circuit.wait(now) > 0
          ? 2
          : (health.slot > 0n && newest - health.slot > BigInt(maxLag)) ||
              (need.minContextSlot !== undefined && health.slot < need.minContextSlot)
            ? 1
            : 0,
      score: ((health.latency + 1) * (health.inFlight + 1) * (1 + ERROR_PENALTY * health.errors)) / endpoint.weight
    }))
    .toSorted((a, b) => a.group - b.group || a.score - b.score)
    .map(({ endpoint }) => endpoint)
}

const isConfig = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The `minContextSlot` in a call's options. */
export const minContextSlot = (params: ReadonlyArray<unknown>): Slot | undefined => {
  const config = params.findLast(isConfig)
  return config === undefined ? undefined : slotFrom(Reflect.get(config, "minContextSlot"))
}
