/** The interface of a kernel of scores. All kernels give the same bits. */

/** The parameters of an update, each a 32-bit float. */
export interface Step {
  readonly decay: number
  readonly weight: number
  readonly cap: number
}

/**
 * The smallest score above 0: the smallest normal 32-bit float. Arithmetic with smaller floats takes processors a
 * hundred times as long, and scores that only decay would become such floats.
 */
export const LEAST = 2 ** -126

/** A kernel, bound to the memory of its scores. */
export interface Kernel {
  readonly name: "simd" | "scalar" | "js"
  readonly scores: Float32Array
  readonly gains: Float32Array
  /**
   * Sets each score to `score · decay + gain · weight`, from 0 to `cap`. NaN and results below {@link LEAST} become 0.
   */
  readonly update: (step: Step) => void
  /** The indices of the scores from `min` to `max`, ascending. */
  readonly inRange: (min: number, max: number) => Uint32Array
}
