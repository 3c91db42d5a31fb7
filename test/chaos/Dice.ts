/** The random numbers of one event. They depend only on the seed and the place. */
export interface Dice {
  /** Uniform from 0 to 1, without 1. */
  readonly roll: () => number
  /** Whether an event of this probability occurs. */
  readonly meets: (probability: number) => boolean
  readonly pick: <A>(items: readonly [A, ...ReadonlyArray<A>]) => A
}

const mix = (hash: number, value: number): number => {
  const next = Math.imul(hash ^ value, 0x9e37_79b1)
  return (next ^ (next >>> 15)) | 0
}

/** Dice for the event at this place: a seed, and numbers that identify the event. */
export const at = (...place: ReadonlyArray<number>): Dice => {
  let state = place.reduce(mix, 0x2545_f491)
  /** Mulberry32. */
  const roll = () => {
    state = (state + 0x6d2b_79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    roll,
    meets: (probability) => roll() < probability,
    pick: (items) => items[Math.floor(roll() * items.length)] ?? items[0]
  }
}
