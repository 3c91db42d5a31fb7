/**
 * Bytes that nobody should trust: made up, or valid ones that were cut, lengthened and overwritten.
 */
import * as FastCheck from "effect/FastCheck"

const edit = FastCheck.record({ at: FastCheck.nat(), byte: FastCheck.integer({ min: 0, max: 255 }) })

/** Valid bytes with a few of them overwritten, then cut or followed by others. */
export const mutated = (valid: FastCheck.Arbitrary<Uint8Array>): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.tuple(
    valid,
    FastCheck.array(edit, { maxLength: 4 }),
    FastCheck.nat({ max: 64 }),
    FastCheck.uint8Array({ maxLength: 16 })
  ).map(([bytes, edits, cut, tail]) => {
    const mutant = new Uint8Array([...bytes.subarray(0, Math.max(0, bytes.length - cut)), ...tail])
    for (const { at, byte } of edits) if (mutant.length > 0) mutant[at % mutant.length] = byte
    return mutant
  })

/** A discriminator and whatever follows. */
export const headed = (heads: ReadonlyArray<Uint8Array>): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.tuple(FastCheck.constantFrom(...heads), FastCheck.uint8Array({ maxLength: 400 })).map(
    ([head, tail]) => new Uint8Array([...head, ...tail])
  )

export const arbitraryBytes = FastCheck.uint8Array({ maxLength: 400 })
