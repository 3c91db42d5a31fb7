/**
 * Payloads in memory, bounded in bytes. The least recently used leave first.
 *
 * A payload is one or more arrays, which are joined when it is first read.
 */

/** The payload as one array. */
export const join = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(sizeOf(parts))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Bytes of the arrays together. */
export const sizeOf = (parts: ReadonlyArray<Uint8Array>): number => {
  let size = 0
  for (const { length } of parts) size += length
  return size
}

interface Entry {
  readonly size: number
  readonly parts: ReadonlyArray<Uint8Array>
}

export class Recent {
  readonly #maxBytes: number
  /** A Map iterates in order of insertion, so its first entry is the least recently used one. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const [first] = entry.parts
    const bytes = first !== undefined && entry.parts.length === 1 ? first : join(entry.parts)
    this.set(key, [bytes])
    return bytes
  }

  /** Keeps the arrays themselves. */
  set(key: string, parts: ReadonlyArray<Uint8Array>): void {
    this.delete(key)
    const size = sizeOf(parts)
    this.#entries.set(key, { size, parts })
    this.#bytes += size
    this.evict(this.#maxBytes)
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.size ?? 0
    this.#entries.delete(key)
  }

  /** Evicts the least recently used payloads above this many bytes; returns the bytes that it evicted. */
  evict(above: number): number {
    const before = this.#bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= above) break
      this.delete(oldest)
    }
    return before - this.#bytes
  }
}
