/** The queue of recent blockhashes, and how old one may be. */
import type { Blockhash } from "@solana/kit"

/** A block's hash and its place in the chain. */
export interface BlockhashEntry {
  readonly blockhash: Blockhash
  readonly slot: number
  readonly height: number
}

/** Commitments look back that many slots, so that many more are kept. */
const LOOK_BACK = 33

/** Recent blockhashes, oldest first. */
export class Blockhashes {
  private readonly entries = new Map<Blockhash, BlockhashEntry>()
  private newest: BlockhashEntry | undefined
  /** Blocks below this height have expired before their time. */
  private floor = 0

  constructor(
    /** Blocks during which a blockhash can be used. */
    readonly lifetime: number
  ) {}

  /** Takes in the hash of a new block. */
  push(entry: BlockhashEntry): void {
    this.entries.set(entry.blockhash, entry)
    this.newest = entry
    for (const oldest of this.entries.values()) {
      if (oldest.height >= this.floor && entry.height - oldest.height <= this.lifetime + LOOK_BACK) break
      this.entries.delete(oldest.blockhash)
    }
  }

  /** Where the hash comes from, unless it was forgotten. */
  get(blockhash: Blockhash): BlockhashEntry | undefined {
    return this.entries.get(blockhash)
  }

  /** The newest hash that the bank of the slot knows. */
  latest(slot: number): BlockhashEntry | undefined {
    if (this.newest === undefined || this.newest.slot <= slot) return this.newest
    let latest: BlockhashEntry | undefined
    for (const entry of this.entries.values()) {
      if (entry.slot > slot) break
      latest = entry
    }
    return latest ?? this.newest
  }

  /** Whether a bank of that slot and height takes transactions with the hash. */
  isValid(blockhash: Blockhash, slot: number, height: number): boolean {
    const entry = this.entries.get(blockhash)
    return (
      entry !== undefined && entry.slot <= slot && entry.height >= this.floor && height - entry.height <= this.lifetime
    )
  }

  /** Expires all blocks below the height, for good. */
  expireBelow(height: number): void {
    this.floor = Math.max(this.floor, height)
  }

  /** A copy that goes its own way. */
  copy(): Blockhashes {
    const copy = new Blockhashes(this.lifetime)
    for (const [blockhash, entry] of this.entries) copy.entries.set(blockhash, entry)
    copy.newest = this.newest
    copy.floor = this.floor
    return copy
  }
}
