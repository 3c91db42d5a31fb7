import { readFileSync } from "node:fs"
import path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"

const Lock = Schema.parseJson(
  Schema.Struct({
    packages: Schema.Record({
      key: Schema.String,
      value: Schema.Struct({
        integrity: Schema.optional(Schema.String),
        optional: Schema.optional(Schema.Boolean),
        version: Schema.optional(Schema.String)
      })
    })
  })
)

/** The builds of litesvm 1.5.0 for other machines. The registry has no such version of them, so npm cannot hash them. */
const UNPUBLISHED = ["darwin-arm64", "darwin-x64", "linux-arm64-gnu", "linux-arm64-musl", "linux-x64-musl"].map(
  (machine) => `node_modules/litesvm-${machine}`
)

describe("package-lock.json", () => {
  const text = readFileSync(path.resolve(import.meta.dirname, "../../package-lock.json"), "utf8")
  const { packages } = Schema.decodeUnknownSync(Lock)(text)
  const installed = Object.entries(packages).filter(([folder]) => folder !== "")

  it("Given each package that can be installed, When its entry is read, Then it has a hash of SHA-512", () => {
    const bare = installed.filter(([, { integrity }]) => integrity?.startsWith("sha512-") !== true)
    expect(bare.map(([folder]) => folder)).toEqual(UNPUBLISHED)
    for (const [folder, entry] of bare) expect(entry, folder).toEqual({ version: "1.5.0", optional: true })
  })
})
