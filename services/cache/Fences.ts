/**
 * The lowest version that a read may return, by name.
 *
 * The number of names is bounded, and reads stay correct: names are in two generations. When the older one is dropped,
 * its highest fence becomes the floor of all names. A floor that is too high causes an unnecessary read, never an old
 * value.
 */
export class Fences {
  readonly #generation: number
  #young = new Map<string, bigint>()
  #old = new Map<string, bigint>()
  #highestOfYoung = 0n
  #highestOfOld = 0n
  #floor = 0n

  /** Keeps at least `generation` names, and at most twice as many. */
  constructor(generation: number) {
    this.#generation = generation
  }

  of(name: string): bigint {
    const fence = this.#young.get(name) ?? this.#old.get(name)
    return fence !== undefined && fence > this.#floor ? fence : this.#floor
  }

  /** The highest fence of any name. */
  get highest(): bigint {
    let highest = this.#floor
    for (const fence of [this.#highestOfYoung, this.#highestOfOld]) if (fence > highest) highest = fence
    return highest
  }

  /** The highest fence of all names. */
  ofAll(names: Iterable<string>): bigint {
    let highest = this.#floor
    for (const name of names) {
      const fence = this.of(name)
      if (fence > highest) highest = fence
    }
    return highest
  }

  /** Raises a fence. A lower value has no effect. */
  raise(name: string, fence: bigint): void {
    if (fence <= this.of(name)) return
    if (this.#young.size >= this.#generation && !this.#young.has(name)) this.#age()
    this.#young.set(name, fence)
    if (fence > this.#highestOfYoung) this.#highestOfYoung = fence
  }

  raiseAll(fence: bigint): void {
    if (fence > this.#floor) this.#floor = fence
  }

  /** Lowers every higher fence to this version. */
  lower(most: bigint): void {
    const least = (fence: bigint): bigint => (fence < most ? fence : most)
    for (const names of [this.#young, this.#old]) for (const [name, fence] of names) names.set(name, least(fence))
    this.#highestOfYoung = least(this.#highestOfYoung)
    this.#highestOfOld = least(this.#highestOfOld)
    this.#floor = least(this.#floor)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#highestOfYoung = 0n
    this.#highestOfOld = 0n
    this.#floor = 0n
  }

  #age(): void {
    this.raiseAll(this.#highestOfOld)
    this.#old = this.#young
    this.#highestOfOld = this.#highestOfYoung
    this.#young = new Map()
    this.#highestOfYoung = 0n
  }
}
