/**
 * A token bucket that fills at a steady rate. Times are milliseconds of one monotonic clock.
 */

/** Tolerance for the rounding errors of a refill, in tokens. */
const EPSILON = 1e-9

export class TokenBucket {
  #tokens: number
  #filledAt = -Infinity

  /** The bucket gains `perSecond` tokens a second, holds at most `burst`, and starts full. */
  constructor(
    readonly perSecond: number,
    readonly burst: number
  ) {
    this.#tokens = burst
  }

  /**
   * Milliseconds until `tokens` can be taken, after earlier callers have taken `queued`. A request for more than `burst`
   * waits until the bucket is full.
   */
  wait(tokens: number, time: number, queued = 0): number {
    this.#fill(time)
    const missing = queued + Math.min(tokens, this.burst) - this.#tokens
    const paused = Math.max(0, this.#filledAt - time)
    return missing <= EPSILON ? paused : Math.ceil(paused + (missing / this.perSecond) * 1000)
  }

  /** Takes tokens. The count may become negative: a debt that the refill pays off. */
  take(tokens: number): void {
    if (this.perSecond < Infinity) this.#tokens -= tokens
  }

  /** Empties the bucket and stops its refill until a time. */
  pause(until: number): void {
    if (until <= this.#filledAt) return
    this.#filledAt = until
    if (this.perSecond < Infinity) this.#tokens = Math.min(this.#tokens, 0)
  }

  #fill(time: number): void {
    if (time <= this.#filledAt) return
    if (this.perSecond < Infinity && this.#filledAt !== -Infinity) {
      this.#tokens = Math.min(this.burst, this.#tokens + ((time - this.#filledAt) / 1000) * this.perSecond)
    }
    this.#filledAt = time
  }
}
