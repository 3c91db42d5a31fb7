/**
 * The queue of recent blockhashes and their ages.
 *
 * Invariants: ages count in heights, not in slots, which can be skipped; the floor only rises, so a hash that has expired
 * stays expired; a bank of an older slot does not know the hashes of later blocks, and its own are kept long enough.
 */
import type { Blockhash } from "@solana/kit"
import { OldestFirst } from "./OldestFirst.js"

/** A block's hash, slot and height. */
export interface BlockhashEntry {
  readonly blockhash: Blockhash
  readonly slot: number
  readonly height: number
}

/** Extra entries: banks of lower commitments look back up to this many slots. */
const LOOK_BACK = 33

/** Recent blockhashes, oldest first. */
export class Blockhashes {
  #entries = new OldestFirst<Blockhash, BlockhashEntry>()
  #newest: BlockhashEntry | undefined
  /** Blocks below this height have expired early. */
  #floor = 0

  constructor(
    /** Blocks during which a blockhash is valid. */
    readonly lifetime: number
  ) {}

  /** Adds the hash of a new block. */
  push(entry: BlockhashEntry): void {
    this.#entries.set(entry.blockhash, entry)
    this.#newest = entry
    const kept = Math.max(this.#floor, entry.height - this.lifetime - LOOK_BACK)
    while ((this.#entries.oldest?.height ?? Infinity) < kept) this.#entries.dropOldest()
  }

  /** The block of the hash, unless it was dropped. */
  get(blockhash: Blockhash): BlockhashEntry | undefined {
    return this.#entries.get(blockhash)
  }

  /** The newest hash that the slot's bank knows. */
  latest(slot: number): BlockhashEntry | undefined {
    if (this.#newest === undefined || this.#newest.slot <= slot) return this.#newest
    let latest: BlockhashEntry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.slot > slot) break
      latest = entry
    }
    return latest ?? this.#newest
  }

  /** Whether a bank of this slot and height accepts transactions with the hash. */
  isValid(blockhash: Blockhash, slot: number, height: number): boolean {
    const entry = this.#entries.get(blockhash)
    return (
      entry !== undefined && entry.slot <= slot && entry.height >= this.#floor && height - entry.height <= this.lifetime
    )
  }

  /** Expires all blocks below the height permanently. */
  expireBelow(height: number): void {
    this.#floor = Math.max(this.#floor, height)
  }

  /** The entries, oldest first, and the height below which they have expired early. */
  get parts(): { readonly entries: ReadonlyArray<BlockhashEntry>; readonly floor: number } {
    return { entries: Array.from(this.#entries.values()), floor: this.#floor }
  }

  /** Returns an independent copy. */
  copy(): Blockhashes {
    const copy = new Blockhashes(this.lifetime)
    copy.#entries = this.#entries.copy()
    copy.#newest = this.#newest
    copy.#floor = this.#floor
    return copy
  }
}
