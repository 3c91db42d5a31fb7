/**
 * A cursor that reads Borsh values and never throws. It keeps the first failure and returns zeros from then on. It
 * never reads outside the given bytes, even if they are part of a larger buffer.
 */

/** The position and the reason of a failure. */
export interface ReadFailure {
  readonly rule: string
  readonly offset: number
}

/** The views of one buffer, as bytes and as numbers. */
class Views {
  readonly bytes: Uint8Array
  readonly view: DataView
  constructor(readonly buffer: ArrayBufferLike) {
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
  }
}

/** Largest buffer whose views are kept. Many small accounts share one buffer, so its views are created once. */
const MAX_KEPT = 65_536

let kept = new Views(new ArrayBuffer(0))

const viewsOf = (buffer: ArrayBufferLike): Views => {
  if (buffer === kept.buffer) return kept
  const views = new Views(buffer)
  if (buffer.byteLength <= MAX_KEPT) kept = views
  return views
}

/**
 * Reads bytes from front to back. `offset` counts from the start of the buffer, a failure's offset from the start of
 * the bytes.
 */
export class Reader {
  failure: ReadFailure | undefined = undefined
  readonly view: DataView
  readonly bytes: Uint8Array
  private readonly start: number
  private readonly end: number
  private offset: number

  constructor({ buffer, byteLength, byteOffset }: Uint8Array, skip: number) {
    const { bytes, view } = viewsOf(buffer)
    this.bytes = bytes
    this.view = view
    this.start = byteOffset
    this.end = byteOffset + byteLength
    this.offset = byteOffset + skip
  }

  get left(): number {
    return this.end - this.offset
  }

  fail(rule: string): void {
    this.failure ??= { rule, offset: this.offset - this.start }
  }

  /** Skips `size` bytes and returns their offset; -1 if there are too few, or after a failure. */
  take(size: number): number {
    if (this.failure !== undefined) return -1
    const start = this.offset
    if (size > this.end - start) {
      this.fail(`must have ${size} bytes, ${this.left} are left`)
      return -1
    }
    this.offset = start + size
    return start
  }

  u8(): number {
    const at = this.take(1)
    return at < 0 ? 0 : this.view.getUint8(at)
  }

  u32(): number {
    const at = this.take(4)
    return at < 0 ? 0 : this.view.getUint32(at, true)
  }
}
