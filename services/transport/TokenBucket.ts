/**
 * A bucket that fills at a steady rate; times are milliseconds of one monotonic clock.
 */

/** Float noise of a refill; far below what a token is worth. */
const EPSILON = 1e-9

export class TokenBucket {
  #tokens: number
  #filledAt = -Infinity

  /** `perSecond` tokens flow in, up to `burst`. */
  constructor(
    readonly perSecond: number,
    readonly burst: number
  ) {
    this.#tokens = burst
  }

  /**
   * Milliseconds until so many can be taken, after others have taken `queued`. More than `burst` can be taken once the
   * bucket is full.
   */
  wait(tokens: number, time: number, queued = 0): number {
    this.#fill(time)
    const missing = queued + Math.min(tokens, this.burst) - this.#tokens
    const paused = Math.max(0, this.#filledAt - time)
    return missing <= EPSILON ? paused : Math.ceil(paused + (missing / this.perSecond) * 1000)
  }

  /** Takes them; what was not there is owed. */
  take(tokens: number): void {
    if (this.perSecond < Infinity) this.#tokens -= tokens
  }

  /** Nothing flows in before that time, and what is there is lost. */
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
