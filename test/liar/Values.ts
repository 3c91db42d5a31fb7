/** False values: each is a function of the true value. */
import * as Addresses from "../../src/solana/Address.js"

export type Value = (truth: unknown) => unknown

export type Values = Readonly<Record<string, Value>>

const isInteger = (value: unknown): value is number | bigint => typeof value === "number" || typeof value === "bigint"

/** Keeps a number if that is exact, like a decoder of JSON. */
const moved =
  (by: number): Value =>
  (truth) => {
    if (!isInteger(truth)) return truth
    const value = BigInt(truth) + BigInt(by)
    return value <= Number.MAX_SAFE_INTEGER && value >= 0n ? Number(value) : value
  }

const times =
  (factor: number): Value =>
  (truth) =>
    isInteger(truth) ? Number(truth) * factor : truth

const constant =
  (value: unknown): Value =>
  () =>
    value

const wrong: Values = { null: constant(null), absent: constant(undefined), list: constant([]), object: constant({}) }

export const integer: Values = {
  null: constant(null),
  absent: constant(undefined),
  zero: constant(0),
  one: constant(1),
  max: constant(Number.MAX_SAFE_INTEGER),
  u64: constant(0xffff_ffff_ffff_ffffn),
  negative: constant(-1),
  fraction: constant(0.5),
  text: constant("12"),
  "+1": moved(1),
  "-1": moved(-1),
  "+40": moved(40),
  "-40": moved(-40),
  "+1000": moved(1000),
  "-1000": moved(-1000),
  "+1e9": moved(1_000_000_000)
}

export const lamports: Values = { ...integer, double: times(2), "1000-fold": times(1000), tenth: times(0.1) }

export const flag: Values = {
  null: constant(null),
  absent: constant(undefined),
  text: constant("true"),
  number: constant(1),
  opposite: (truth) => truth !== true
}

const text: Values = { ...wrong, number: constant(7), empty: constant(""), junk: constant("0OIl") }

/** Another valid address: of a well-known program, or of no account. */
export const address: Values = {
  ...text,
  other: constant(Addresses.SYSTEM_PROGRAM),
  unknown: constant("Stranger11111111111111111111111111111111111")
}

export const blockhash: Values = { ...text, other: constant("Stranger11111111111111111111111111111111111") }

export const signature: Values = { ...text, other: constant("1".repeat(64)) }

/** Bytes in base64. */
export const bytes: Values = {
  ...text,
  zeros: (truth) =>
    typeof truth === "string" ? Buffer.alloc(Buffer.from(truth, "base64").length).toString("base64") : truth,
  cut: (truth) => (typeof truth === "string" ? truth.slice(0, Math.floor(truth.length / 8) * 4) : truth),
  flipped: (truth) => {
    if (typeof truth !== "string") return truth
    const bytes = Buffer.from(truth, "base64")
    const last = bytes.length - 1
    if (last >= 0) bytes[last] = (bytes[last] ?? 0) ^ 1
    return bytes.toString("base64")
  }
}

export const commitment: Values = {
  ...text,
  processed: constant("processed"),
  confirmed: constant("confirmed"),
  finalized: constant("finalized")
}

/** Agave's transaction errors, in the form of replies. */
export const failure: Values = {
  absent: constant(undefined),
  number: constant(7),
  success: constant(null),
  AlreadyProcessed: constant("AlreadyProcessed"),
  BlockhashNotFound: constant("BlockhashNotFound"),
  InsufficientFundsForFee: constant("InsufficientFundsForFee"),
  Custom: constant({ InstructionError: [0, { Custom: 6000 }] }),
  unknown: constant({ Martian: true })
}

export const list: Values = {
  null: constant(null),
  absent: constant(undefined),
  object: constant({}),
  empty: constant([]),
  shorter: (truth) => (Array.isArray(truth) ? truth.slice(1) : truth),
  longer: (truth) => (Array.isArray(truth) ? [...truth, ...truth.slice(0, 1)] : truth),
  backwards: (truth) => (Array.isArray(truth) && truth.length > 1 ? truth.toReversed() : truth)
}

/** Optional values. */
export const maybe: Values = {
  null: constant(null),
  absent: constant(undefined),
  list: constant([]),
  number: constant(7)
}
