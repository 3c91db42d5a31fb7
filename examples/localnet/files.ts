/** Reads the files of accounts and programs. */
import { readdir, readFile, stat } from "node:fs/promises"
import * as path from "node:path"
import { InvalidInput } from "@pod-protocol/effect/InvalidInput"
import type * as EmbeddedCluster from "@pod-protocol/effect/layers/EmbeddedCluster"
import * as Address from "@pod-protocol/effect/solana/Address"
import * as Base58 from "@pod-protocol/effect/solana/Base58"
import * as Base64 from "@pod-protocol/effect/solana/Base64"
import * as Json from "@pod-protocol/effect/solana/Json"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Pair } from "./arguments.js"

/** Maximum bytes of a file. The largest account (10 MiB) in base64 and the largest program are smaller. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

const integer = Schema.Union(Schema.NonNegativeInt, Schema.BigIntFromSelf)

/** The JSON that `solana account --output json` writes. */
const AccountFile = Schema.Struct({
  pubkey: Schema.String,
  account: Schema.Struct({
    lamports: integer,
    data: Schema.Tuple(Schema.String, Schema.Literal("base64", "base58")),
    owner: Schema.String,
    executable: Schema.optional(Schema.Boolean),
    rentEpoch: Schema.optional(integer),
    space: Schema.optional(integer)
  })
})

const decode = Schema.decodeUnknownEither(AccountFile)

const refuse = (field: string, rule: string) => new InvalidInput({ field, rule })

const within = <A>(field: string, result: Either.Either<A, InvalidInput>) =>
  Either.mapLeft(result, ({ rule }) => refuse(field, rule))

const bytesOf = (field: string, file: string) =>
  Effect.gen(function* () {
    const cannot = (cause: unknown) =>
      refuse(field, `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
    const found = yield* Effect.tryPromise({ try: () => stat(file), catch: cannot })
    // A pipe or a device may never end.
    if (!found.isFile()) return yield* refuse(field, "must be a file")
    if (found.size > MAX_FILE_BYTES) return yield* refuse(field, `must be at most ${MAX_FILE_BYTES} bytes`)
    return yield* Effect.tryPromise({ try: (signal) => readFile(file, { signal }), catch: cannot })
  })

/** Reads the file of an account. The address `-` stands for the address in the file. */
export const account = ({ address, file }: Pair) =>
  Effect.gen(function* () {
    const field = `--account ${file}`
    const text = (yield* bytesOf(field, file)).toString("utf8")
    const json = yield* Either.mapLeft(Json.parse(text), () => refuse(field, "is no JSON"))
    const read = yield* Either.mapLeft(decode(json), () =>
      refuse(field, 'must be the JSON that "solana account --output json" writes')
    )
    const { data, executable = false, lamports, owner, rentEpoch, space } = read.account
    const [encoded, encoding] = data
    const bytes = yield* within(
      `${field}: data`,
      encoding === "base64" ? Base64.decode(encoded) : Base58.decode(encoded)
    )
    if (space !== undefined && BigInt(space) !== BigInt(bytes.length)) {
      return yield* refuse(`${field}: space`, `is ${space}, but the data has ${bytes.length} bytes`)
    }
    const image: EmbeddedCluster.AccountImage = {
      address: yield* within(field, Address.parse(address === "-" ? read.pubkey : address)),
      lamports: BigInt(lamports),
      owner: yield* within(`${field}: owner`, Address.parse(owner)),
      data: bytes,
      executable,
      ...(rentEpoch === undefined ? {} : { rentEpoch: BigInt(rentEpoch) })
    }
    return image
  })

/** Names the file in an error of an account. */
export const named =
  (files: ReadonlyArray<Pair>) =>
  <E>(error: E): E | InvalidInput => {
    const [, index = "", field = ""] = error instanceof InvalidInput ? (PLACE.exec(error.field) ?? []) : []
    const file = files[Number(index)]?.file
    if (!(error instanceof InvalidInput) || index === "" || file === undefined) return error
    return refuse(`--account ${file}${field === "" ? "" : `: ${field}`}`, error.rule)
  }

const PLACE = /^accounts\[(\d+)\]\.?(.*)$/

/** The account files of a folder, in the order of their names. */
export const accountFiles = (folder: string) =>
  Effect.map(
    Effect.tryPromise({
      try: () => readdir(folder),
      catch: (cause) =>
        refuse("--account-dir", `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
    }),
    (names): ReadonlyArray<Pair> =>
      names
        .filter((name) => name.endsWith(".json"))
        .toSorted()
        .map((name) => ({ address: "-", file: path.join(folder, name) }))
  )

/** Reads the file of a program. */
export const program = ({ address, file }: Pair) =>
  Effect.gen(function* () {
    const field = `--bpf-program ${file}`
    const image: EmbeddedCluster.ProgramImage = {
      address: yield* within(field, Address.parse(address)),
      elf: yield* bytesOf(field, file)
    }
    return image
  })
