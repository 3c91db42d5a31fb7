/**
 * Reads heap snapshots of V8 (`.heapsnapshot`): the size of each class, and its growth between two snapshots.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as SafeText from "../SafeText.js"
import * as CpuProfile from "./CpuProfile.js"

/**
 * The objects of one class.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClassSize {
  /**
   * The name of the constructor, at most 100 characters. Objects without a constructor are named by their kind:
   * `(string)`, `(array)`, `(closure)`, `(code)`. The content of a string is never part of a name.
   */
  readonly name: string
  readonly count: number
  /** Bytes of the objects themselves, without the objects that they refer to. */
  readonly bytes: number
}

/**
 * The sizes in a snapshot.
 *
 * @since 0.1.0
 * @category models
 */
export interface HeapSnapshot {
  /** The largest first. */
  readonly classes: ReadonlyArray<ClassSize>
  /** Bytes of all objects. */
  readonly bytes: number
}

/**
 * The change of a class between two snapshots.
 *
 * @since 0.1.0
 * @category models
 */
export interface Growth extends ClassSize {
  /** The change of `count`; negative if there are fewer objects. */
  readonly countChange: number
  readonly bytesChange: number
}

const malformed = (detail: string): Either.Either<never, CpuProfile.MalformedProfile> =>
  Either.left(new CpuProfile.MalformedProfile({ reason: "Malformed", detail }))

/** Maximum classes. Objects of further classes count as {@link OTHER}. */
const MAX_CLASSES = 20_000
const OTHER = "(other)"

const MAX_NAME = 100

/** Kinds whose objects are named by a constructor. The names of other kinds are contents or code locations. */
const NAMED: ReadonlySet<unknown> = new Set(["object", "native"])

const at = (value: unknown, ...names: ReadonlyArray<string>): unknown =>
  names.reduce<unknown>((found, name) => (Predicate.hasProperty(found, name) ? found[name] : undefined), value)

/** The columns of a node that are read, and the number of all columns. */
interface Layout {
  readonly type: number
  readonly name: number
  readonly size: number
  readonly width: number
  readonly kinds: ReadonlyArray<unknown>
}

const layoutOf = (meta: unknown): Either.Either<Layout, CpuProfile.MalformedProfile> => {
  const [fields, types] = [at(meta, "node_fields"), at(meta, "node_types")]
  if (!Array.isArray(fields) || !Array.isArray(types)) return malformed("snapshot.meta: has no node_fields")
  const [type, name, size] = ["type", "name", "self_size"].map((field) => fields.indexOf(field))
  const kinds: unknown = types[type ?? -1]
  if (type === undefined || name === undefined || size === undefined || Math.min(type, name, size) < 0) {
    return malformed("snapshot.meta.node_fields: type, name or self_size is missing")
  }
  return Array.isArray(kinds)
    ? Either.right({ type, name, size, width: fields.length, kinds })
    : malformed("snapshot.meta.node_types: the kinds are missing")
}

/**
 * Reads a snapshot as V8 writes it. The time is linear in the size.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (input: unknown): Either.Either<HeapSnapshot, CpuProfile.MalformedProfile> =>
  Either.flatMap(layoutOf(at(input, "snapshot", "meta")), ({ kinds, name, size, type, width }) => {
    const [nodes, strings] = [at(input, "nodes"), at(input, "strings")]
    if (!Array.isArray(nodes) || nodes.length % width !== 0) return malformed("nodes: must be a list of whole nodes")
    if (!Array.isArray(strings)) return malformed("strings: must be a list")
    const classes = new Map<string, { name: string; count: number; bytes: number }>()
    let sum = 0
    for (let node = 0; node < nodes.length; node += width) {
      const kind = kinds[Number(nodes[node + type])]
      const bytes: unknown = nodes[node + size]
      const text: unknown = NAMED.has(kind) ? strings[Number(nodes[node + name])] : `(${String(kind)})`
      if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0)
        return malformed("nodes: one has no size")
      if (typeof text !== "string" || kind === undefined) return malformed("nodes: one has no kind or no name")
      const isKnown = classes.has(text) || classes.size < MAX_CLASSES
      const key = isKnown ? text : OTHER
      const found = classes.get(key) ?? { name: SafeText.make(key, MAX_NAME), count: 0, bytes: 0 }
      classes.set(key, found)
      found.count++
      found.bytes += bytes
      sum += bytes
    }
    return Either.right({ classes: [...classes.values()].toSorted((a, b) => b.bytes - a.bytes), bytes: sum })
  })

/**
 * Reads the text of a `.heapsnapshot`, of at most 400 million characters. It needs a few times the size of the text in
 * memory.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (json: string): Either.Either<HeapSnapshot, CpuProfile.MalformedProfile> =>
  Either.flatMap(CpuProfile.parseJson(json), decode)

/**
 * The growth of each class between two snapshots of one process, the largest change first. Classes of one name count
 * together.
 *
 * @example
 * ```ts
 * import * as HeapSnapshot from "@pod-protocol/effect/observe/HeapSnapshot"
 * import * as Either from "effect/Either"
 *
 * export const grown = (before: string, after: string) =>
 *   Either.zipWith(HeapSnapshot.parse(before), HeapSnapshot.parse(after), HeapSnapshot.compare)
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const compare = (before: HeapSnapshot, after: HeapSnapshot): ReadonlyArray<Growth> => {
  const changes = new Map<string, Growth>()
  const add = ({ classes }: HeapSnapshot, sign: 1 | -1): void => {
    for (const { bytes, count, name } of classes) {
      const known = changes.get(name) ?? { name, count: 0, bytes: 0, countChange: 0, bytesChange: 0 }
      changes.set(name, {
        name,
        count: known.count + (sign === 1 ? count : 0),
        bytes: known.bytes + (sign === 1 ? bytes : 0),
        countChange: known.countChange + sign * count,
        bytesChange: known.bytesChange + sign * bytes
      })
    }
  }
  add(before, -1)
  add(after, 1)
  return [...changes.values()]
    .filter(({ bytesChange, countChange }) => bytesChange !== 0 || countChange !== 0)
    .toSorted((a, b) => Math.abs(b.bytesChange) - Math.abs(a.bytesChange))
}
