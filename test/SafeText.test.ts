import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as SafeText from "../src/SafeText.js"
import { runs } from "./support/runs.js"

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** Pieces of which attacks are made. */
const pieces = FastCheck.constantFrom(
  ..."\u001b \u001b[ \u001b]0; \u009b \u009d \u0090 \u0007 [2J 31m \ud800 \udc01 \udb40 \u202e \u2066 \u200b \u0301 \u2028 \r\n \0".split(
    " "
  ),
  "plain",
  " ",
  "😀",
  "é"
)
const hostile = FastCheck.oneof(
  FastCheck.array(pieces, { maxLength: 60 }).map((parts) => parts.join("")),
  FastCheck.string({ unit: "binary" })
)

describe("SafeText.make", () => {
  it("Given any text, When it is made safe, Then it is one bounded visible line, and a safe text stays the same", () => {
    FastCheck.assert(
      FastCheck.property(hostile, FastCheck.integer({ min: 1, max: 80 }), (text, maxLength) => {
        const safe = SafeText.make(text, maxLength)
        expect(safe.length).toBeLessThanOrEqual(maxLength)
        expect(safe).not.toMatch(UNSAFE)
        expect(SafeText.make(safe, maxLength)).toBe(safe)
      }),
      { numRuns: runs(2000) }
    )
  })

  it.each([
    ["a plain text", "an agent, seven years old: é 日本 😀", "an agent, seven years old: é 日本 😀"],
    ["colours and a cleared screen", "\u001b[2J\u001b[1;31mred\u001b[0m", "red"],
    ["a title, a link and the clipboard", "\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\b\u009d52;c;x\u009cc", "abc"],
    ["a forged line of a log", "fine\r\n2026-01-01 ERROR forged\u2028again", "fine 2026-01-01 ERROR forged again"],
    ["turned writing", "\u202egnp.exe\u2066", "gnp.exe"],
    ["invisible tags between surrogates", "a\udb40\u200b\udc41b", "a\ufffd\ufffdb"],
    ["heaped marks", `a${"\u0301".repeat(500)}b`, `a${"\u0301".repeat(4)}b`]
  ])("Given %s, When it is made safe, Then only visible characters are left", (_, text, safe) => {
    expect(SafeText.make(text)).toBe(safe)
  })

  it("Given 20 MB, When they are made safe, Then the text is cut and says so", () => {
    expect(SafeText.make("\u001b[2J".repeat(5_000_000))).toBe("…")
    expect(SafeText.make("x".repeat(20_000_000), 3)).toBe("xx…")
    expect(SafeText.make("x😀".repeat(9), 3)).toBe("x…")
  })
})

describe("SafeText.Schema", () => {
  it("Given a model with a text from outside, When it is made or decoded, Then the text is safe", () => {
    class Model extends Schema.Class<Model>("Model")({ name: SafeText.Schema(8) }) {}
    expect(new Model({ name: "a\u0000b" }).name).toBe("ab")
    expect(Schema.decodeUnknownSync(Model)({ name: "123456789" }).name).toBe("1234567…")
    expect(() => Schema.decodeUnknownSync(Model)({ name: 1 })).toThrow("SafeText")
  })
})

const URL_OF_NODE = "https://user:p%40ssw0rd@solana.example:8899/v2/mainnet/S3CR3TPATH?api-key=k%2Be%2Fy123&x=ab#frag"

describe("SafeText.redactor", () => {
  const redact = SafeText.redactor(SafeText.secretsOf(URL_OF_NODE))

  it.each([
    ["the URL", URL_OF_NODE],
    ["its path and query", "no route for /v2/mainnet/S3CR3TPATH?api-key=k%2Be%2Fy123&x=ab"],
    ["its parts", "S3CR3TPATH, api-key=k%2Be%2Fy123, user:p%40ssw0rd"],
    ["decoded parts", "key k+e/y123 of p@ssw0rd"],
    ["other capitals", "bad path s3cr3tpath"],
    ["parts with invisible characters", "S3CR\u200b3T\u001b[0mPATH"],
    ["a part at the cut", `${"x".repeat(1990)}S3CR3TPATH`]
  ])("Given a node's text that repeats %s, When it is shown, Then no secret is shown", (_, text) => {
    const shown = redact(text)
    for (const secret of ["S3CR3T", "s3cr3t", "k%2B", "k+e", "p%40", "p@ss", "y123"])
      expect(shown).not.toContain(secret)
  })

  it("Given parts of the URL that are not secret, When they are shown, Then they stay", () => {
    const text = "solana.example: mainnet node is behind, see https://docs.example/errors"
    expect(redact(text)).toBe(text)
    expect(SafeText.redactor(SafeText.secretsOf("http://127.0.0.1:8899"))(text)).toBe(text)
    expect(SafeText.redactor(SafeText.secretsOf("no URL"))(text)).toBe(text)
  })

  it("Given the user or a key of another URL, When it is shown, Then it is cut out", () => {
    expect(redact("from wss://me:pw@other.example/a?apiKey=abc&x=1&access_token=t")).toBe(
      "from wss://other.example/a?apiKey=<redacted>&x=1&access_token=<redacted>"
    )
  })

  it("Given any secret in any text, When the text is shown in any length, Then the secret is not in it", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.stringMatching(/^[A-Za-z0-9]{12,40}$/),
        hostile,
        FastCheck.integer({ min: 1, max: 100 }),
        FastCheck.integer({ min: 0, max: 500 }),
        (secret, text, maxLength, filler) => {
          const redact = SafeText.redactor(SafeText.secretsOf(`https://host/${secret}`))
          const shown = redact(`${"x ".repeat(filler)}${text} ${secret} ${text}`, maxLength)
          expect(shown).not.toContain(secret.slice(0, 8))
          expect(shown.length).toBeLessThanOrEqual(maxLength)
          expect(shown).not.toMatch(UNSAFE)
        }
      ),
      { numRuns: runs(1000) }
    )
  })
})
