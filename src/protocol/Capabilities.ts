/**
 * Names for the bits of an agent's `capabilities`.
 *
 * The program stores 64 bits and gives them no meaning. The published SDKs name them in two ways that contradict each
 * other: bit 0 is trading in {@link sdk} and text in {@link sdkJs}. So names belong to a {@link Vocabulary}, and agents that
 * search for one another must agree on it.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Record from "effect/Record"
import { BoundedCache } from "../internal/BoundedCache.js"
import * as Check from "../internal/check.js"
import { InvalidInput } from "../InvalidInput.js"

/** The program accepts at most 2^63 − 1 at registration. */
const MAX_BIT = 62

/** Sets of names that a vocabulary keeps, so that equal bits give the same array. */
const MAX_INTERNED = 4096

/**
 * Names for bits, made by {@link make}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Vocabulary<Name extends string> {
  /** Each name with its one bit set. */
  readonly bits: Readonly<Record<Name, bigint>>
  /** All named bits. */
  readonly mask: bigint
  /** The bits of some names. A repeated name counts once. `InvalidInput` for a name that the vocabulary does not have. */
  readonly encode: (names: Iterable<Name>) => Either.Either<bigint, InvalidInput>
  /**
   * The names of the set bits, lowest bit first, without the bits that have no name. Equal bits give the same frozen
   * array while the array is among the few thousand most recent ones. So an index of a million agents holds few arrays.
   */
  readonly decode: (bits: bigint) => ReadonlyArray<Name>
}

/** Makes a vocabulary. The caller guarantees that each index is in range and occurs once. */
const unchecked = <Name extends string>(indices: Readonly<Record<Name, number>>): Vocabulary<Name> => {
  const bits = Record.map(indices, (index) => 1n << BigInt(index))
  const byBit = Record.keys(indices).toSorted((a, b) => indices[a] - indices[b])
  const mask = byBit.reduce((all, name) => all | bits[name], 0n)
  const interned = new BoundedCache<bigint, ReadonlyArray<Name>>(MAX_INTERNED)
  return {
    bits,
    mask,
    encode: (names) => {
      let all = 0n
      let index = 0
      for (const name of names) {
        const field = `names[${index++}]`
        if (!Object.hasOwn(bits, name)) {
          return Either.left(new InvalidInput({ field, rule: `must be one of: ${byBit.join(", ")}` }))
        }
        all |= bits[name]
      }
      return Either.right(all)
    },
    decode: (given) => {
      const known = given & mask
      const found = interned.get(known)
      if (found !== undefined) return found
      const names = Object.freeze(byBit.filter((name) => (known & bits[name]) !== 0n))
      interned.set(known, names)
      return names
    }
  }
}

/**
 * Makes a vocabulary from names and the index of their bit, 0 to 62. `InvalidInput` for an index out of this range, for two
 * names of one bit, and for no names.
 *
 * @example
 * import * as Capabilities from "@pod-protocol/effect/protocol/Capabilities"
 * import * as Either from "effect/Either"
 *
 * const vocabulary = Capabilities.make({ translate: 0, summarize: 1, paint: 7 })
 *
 * export const painters = Either.flatMap(vocabulary, ({ encode }) => encode(["paint", "translate"])) // 129n
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <const Name extends string>(
  indices: Readonly<Record<Name, number>>
): Either.Either<Vocabulary<Name>, InvalidInput> =>
  Either.gen(function* () {
    const names = Record.keys(indices)
    if (names.length === 0) {
      return yield* Either.left(new InvalidInput({ field: "indices", rule: "must name at least one bit", size: 0 }))
    }
    const owners = new Map<number, Name>()
    for (const name of names) {
      const field = `indices.${name}`
      const index = yield* Check.integer(field, indices[name], 0, MAX_BIT)
      const owner = owners.get(index)
      if (owner !== undefined) {
        const rule = `must differ from the index of ${owner}`
        return yield* Either.left(new InvalidInput({ field, rule, size: index }))
      }
      owners.set(index, name)
    }
    return unchecked({ ...indices })
  })

/**
 * The names in `@pod-protocol/sdk` 1.4.5, the SDK for TypeScript.
 *
 * @since 0.1.0
 * @category vocabularies
 */
export const sdk = unchecked({
  TRADING: 0,
  ANALYSIS: 1,
  DATA_PROCESSING: 2,
  CONTENT_GENERATION: 3,
  CUSTOM_1: 4,
  CUSTOM_2: 5,
  CUSTOM_3: 6,
  CUSTOM_4: 7
})

/**
 * The names in `sdk-js`, the SDK for JavaScript.
 *
 * @since 0.1.0
 * @category vocabularies
 */
export const sdkJs = unchecked({ TEXT: 0, IMAGE: 1, CODE: 2, ANALYSIS: 3, TRADING: 4, CUSTOM1: 5, CUSTOM2: 6 })

/**
 * Whether all bits of `wanted` are set.
 *
 * @since 0.1.0
 * @category predicates
 */
export const hasAll = (bits: bigint, wanted: bigint): boolean => (bits & wanted) === wanted

/**
 * Whether at least one bit of `wanted` is set.
 *
 * @since 0.1.0
 * @category predicates
 */
export const hasAny = (bits: bigint, wanted: bigint): boolean => (bits & wanted) !== 0n
