/** The committed program is what was built from the committed sources. */
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"

const file = (path: string): URL => new URL(`../../program/${path}`, import.meta.url)
const sha256 = (path: string): string =>
  createHash("sha256")
    .update(readFileSync(file(path)))
    .digest("hex")

const Manifest = Schema.parseJson(
  Schema.Struct({
    "pod_com.so": Schema.String,
    sources: Schema.Record({ key: Schema.String, value: Schema.String })
  })
)
const manifest = Schema.decodeSync(Manifest)(readFileSync(file("pod_com.sha256.json"), "utf8"))

const sources = [
  "Cargo.lock",
  "Cargo.toml",
  "build.sh",
  ...readdirSync(file("src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".rs"))
    .map((path) => `src/${path}`)
]

describe("pod_com.so", () => {
  it("Given the built program, When the sources have changed since, Then this fails: npm run build:program", () => {
    expect(manifest.sources).toEqual(Object.fromEntries(sources.map((path) => [path, sha256(path)])))
  })

  it("Given the program, When its bytes differ from the build, Then this fails: npm run build:program", () => {
    expect(sha256("pod_com.so")).toBe(manifest["pod_com.so"])
  })

  it("Given the program, When it is read, Then it names no folder of the machine that built it", () => {
    const text = readFileSync(file("pod_com.so")).toString("latin1")
    expect(text).not.toMatch(/\/(home|root|work|usr|tmp)\//)
  })

  it("Given a package, When it is built, Then the script finds the program", () => {
    expect(existsSync(file("pod_com.so"))).toBe(true)
  })
})
