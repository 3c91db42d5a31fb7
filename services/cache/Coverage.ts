/** Decides how long entries are fresh, by how well a feed of changes covers them. */
import type * as Fiber from "effect/Fiber"
import * as Clock from "../internal/clock.js"
import type { Entry } from "./Entry.js"

/**
 * How well a feed of changes covers what is cached: see `Cache.track`.
 *
 * @since 0.1.0
 * @category models
 */
export type Tracking = "off" | "behind" | "resumed" | "restarted"

export class Coverage {
  readonly #uncoveredTtl: number
  /** Since this moment, the feed has reported every change. */
  #since = -Infinity
  #isBehind = false

  constructor({ uncoveredTtl }: { readonly uncoveredTtl: number }) {
    this.#uncoveredTtl = uncoveredTtl
  }

  track<A, E>(fiber: Fiber.RuntimeFiber<A, E>, tracking: Tracking): void {
    this.#isBehind = tracking === "behind"
    if (tracking === "off") this.#since = -Infinity
    if (tracking === "restarted") this.#since = Clock.monotonic(fiber)
  }

  /** How long the entry is fresh. Briefly, if it may have changed without a report. */
  ttlOf({ isTracked, readAt, ttl }: Entry): number {
    const isCovered = !isTracked || (!this.#isBehind && readAt.monotonic >= this.#since)
    return isCovered ? ttl : Math.min(ttl, this.#uncoveredTtl)
  }
}
