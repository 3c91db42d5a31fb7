/** Reads profiles of pprof with protobufjs, which the package does not use, and checks the rules of `go tool pprof`. */
import { readFileSync } from "node:fs"
import * as Schema from "effect/Schema"
import protobuf from "protobufjs"

const { root } = protobuf.parse(readFileSync(new URL("pprof.proto", import.meta.url), "utf8"), { keepCase: true })
const type = root.lookupType("pprof.Profile")

const many = <A, I>(item: Schema.Schema<A, I>) => Schema.optionalWith(Schema.Array(item), { default: () => [] })
const number = Schema.optionalWith(Schema.Number, { default: () => 0 })

const Profile = Schema.Struct({
  sample_type: many(Schema.Struct({ type: number, unit: number })),
  sample: many(
    Schema.Struct({
      location_id: many(Schema.Number),
      value: many(Schema.Number),
      label: many(Schema.Struct({ key: number, str: number }))
    })
  ),
  location: many(Schema.Struct({ id: number, line: many(Schema.Struct({ function_id: number, line: number })) })),
  function: many(Schema.Struct({ id: number, name: number, filename: number, start_line: number })),
  string_table: many(Schema.String),
  duration_nanos: number
})

export interface Stack {
  /** The outermost function first. */
  readonly frames: ReadonlyArray<{ readonly name: string; readonly file: string; readonly line: number }>
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

const found = <A>(value: A | undefined, what: string): A => {
  if (value === undefined) throw new Error(`${what} is not there`)
  return value
}

const byId = <A extends { readonly id: number }>(all: ReadonlyArray<A>): ReadonlyMap<number, A> => {
  const map = new Map(all.map((one) => [one.id, one]))
  if (map.size !== all.length || map.has(0)) throw new Error("an id is 0 or is there twice")
  return map
}

/** Throws for bytes that are not a profile. */
export const read = (bytes: Uint8Array) => {
  const decoded = type.toObject(type.decode(bytes), { longs: Number })
  const profile = Schema.decodeUnknownSync(Profile)(decoded)
  if (profile.string_table[0] !== "") throw new Error("the first text is not empty")
  const text = (index: number): string => found(profile.string_table[index], "a text")
  const functions = byId(profile.function)
  const locations = byId(profile.location)
  const frame = (id: number) => {
    const [line] = found(locations.get(id), "a location").line
    const { filename, name } = found(functions.get(found(line, "a line").function_id), "a function")
    return { name: text(name), file: text(filename), line: line?.line ?? 0 }
  }
  return {
    types: profile.sample_type.map(({ type, unit }) => [text(type), text(unit)]),
    durationNanos: profile.duration_nanos,
    stacks: profile.sample.map(({ label, location_id, value }): Stack => {
      if (value.length !== profile.sample_type.length) throw new Error("a sample has not one value for each type")
      return {
        frames: location_id.map(frame).toReversed(),
        value: found(value[0], "a value"),
        labels: Object.fromEntries(label.map(({ key, str }) => [text(key), text(str)]))
      }
    })
  }
}
