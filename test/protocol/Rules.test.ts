import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Utf8 from "../../src/internal/Utf8.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Rules from "../../src/protocol/Rules.js"
import { assertProperty } from "../support/runs.js"

const rule = (result: Either.Either<unknown, InvalidInput>): string | undefined =>
  Either.match(result, { onLeft: ({ rule }) => rule, onRight: () => undefined })

const refusals = (
  check: (text: string) => Either.Either<unknown, InvalidInput>,
  expected: ReadonlyArray<readonly [text: string, rule: string | undefined]>
): void => {
  for (const [text, sentence] of expected) assert.strictEqual(rule(check(text)), sentence, JSON.stringify(text))
}

const not = (pattern: string): string => `must not contain ${JSON.stringify(pattern)}, in upper or lower case`

const passes = (result: Either.Either<unknown, InvalidInput>) => Either.isRight(result)

/** The program's limiter, line by line. */
const allows = ({ lastMessageAt, messagesSent }: Rules.RateState, now: bigint, isCompressed: boolean): boolean => {
  if (lastMessageAt <= 0n) return true
  const pause = now - lastMessageAt
  if (pause < 1n) return false
  if (!isCompressed && pause < 10n && messagesSent >= 10n) return false
  return !(pause < 60n && messagesSent >= 60n)
}

describe("Rules", () => {
  it("Given metadata URIs, When they are checked, Then the error names the broken rule", () => {
    refusals(Rules.checkMetadataUri, [
      ["https://example.com/agent.json", undefined],
      ["http://a.b", undefined],
      ["https://example.com/é", undefined],
      ["https://a\tb.c", undefined],
      ["https://".repeat(25), undefined],
      ["", "must not be blank"],
      ["\u0085".repeat(10), "must not be blank"],
      ["\ufeff".repeat(4), "must begin with https:// or http://"],
      ["http://a.", "must be at least 10 bytes of UTF-8"],
      [`https://${"é".repeat(97)}`, "must be at most 200 bytes of UTF-8"],
      ["HTTPS://example.com", "must begin with https:// or http://"],
      [" https://example.com", "must begin with https:// or http://"],
      ["ipfs://QmHashQmHash", "must begin with https:// or http://"],
      ["https://metadata:8443/a.json", not("data:")],
      ["https://a/?JavaScript:x", not("javascript:")],
      ["https://a/onclic\u212a", not("onclick")],
      ["https://a/../b", 'must not contain ".."'],
      ["https://a/\n", "must not contain a control character except TAB, contains U+000A"],
      ["https://a/\u0085", "must not contain a control character except TAB, contains U+0085"],
      ["https://a/\ud800", "must not hold half of a surrogate pair"]
    ])
  })

  it("Given contents of a broadcast, When they are checked, Then the error names the broken rule", () => {
    refusals(Rules.checkContent, [
      ["hi", undefined],
      ["tab\tline\r\n", undefined],
      ["Function( setTimeout( setInterval(", undefined],
      ["a".repeat(9), undefined],
      ["ab".repeat(5), undefined],
      ["\ufeff", undefined],
      ["é".repeat(400), undefined],
      ["----------", 'must not repeat "-" in more than half of its bytes'],
      ["aaaaaabcde", 'must not repeat "a" in more than half of its bytes'],
      ["aaaaabcdef", undefined],
      ["aaaaaabcdéf", undefined],
      ["", "must not be blank"],
      [" \u0085\u3000\t", "must not be blank"],
      ["profile: x", not("file:")],
      ["medieval(", not("eval(")],
      ["x </SCRIPT>", not("</script>")],
      ["DROP  TABLE", undefined],
      ["Drop Table", not("drop table")],
      ["/* x", not("/*")],
      ["' OR 1=1", not("' or 1=1")],
      ["a\u0000b", "must not contain a control character except TAB, LF and CR, contains U+0000"],
      ["\u007f", "must not contain a control character except TAB, LF and CR, contains U+007F"],
      ["ab".repeat(437), undefined],
      ["ab".repeat(438), "must be at most 874 bytes of UTF-8"]
    ])
  })

  it("Given more room, When contents are checked, Then the program's own limit remains", () => {
    assert.isUndefined(rule(Rules.checkContent("ab".repeat(500), 1000)))
    assert.strictEqual(rule(Rules.checkContent("ab".repeat(501), 5000)), "must be at most 1000 bytes of UTF-8")
    assert.strictEqual(rule(Rules.checkContent("abc", 2)), "must be at most 2 bytes of UTF-8")
  })

  it("Given channel names and descriptions, When they are checked, Then the error names the broken rule", () => {
    refusals(Rules.checkChannelName, [
      ["general", undefined],
      ["n".repeat(32), undefined],
      ["n".repeat(33), "must be at most 32 bytes of UTF-8"],
      ["é".repeat(17), "must be at most 32 bytes of UTF-8"],
      ["", "must not be blank"],
      [" general", "must not begin or end with white space"],
      ["general\u0085", "must not begin or end with white space"],
      ["\ufeffgeneral", undefined],
      ["a👩‍🚀b", undefined],
      ["gen\0eral", "must not contain a control character, contains U+0000"],
      ["gen\u001b[31meral", "must not contain a control character, contains U+001B"],
      ["gen\neral", "must not contain a control character, contains U+000A"],
      ["gen\u202eeral", "must not contain characters that change the writing direction or end a line"],
      ["gen\u2066eral", "must not contain characters that change the writing direction or end a line"]
    ])
    refusals(Rules.checkChannelDescription, [
      ["", undefined],
      ["d".repeat(200), undefined],
      ["d".repeat(201), "must be at most 200 bytes of UTF-8"],
      ["two\nlines", undefined],
      ["nul\0", "must not contain a control character except TAB, LF and CR, contains U+0000"],
      ["\u200frtl", "must not contain characters that change the writing direction or end a line"]
    ])
  })

  it("Given channels, When checked, Then every field is, and both texts together", () => {
    const channel = {
      name: "n".repeat(32),
      description: "d".repeat(194),
      maxParticipants: 1000,
      feePerMessage: 10n ** 9n
    }
    const field = (change: Partial<typeof channel>) =>
      Either.match(Rules.checkCreateChannel({ ...channel, ...change }), {
        onLeft: ({ field, size }) => [field, size],
        onRight: (same) => same
      })
    assert.deepStrictEqual(field({}), channel)
    assert.deepStrictEqual(field({ description: "d".repeat(195) }), ["description", 227])
    assert.deepStrictEqual(field({ maxParticipants: 0 }), ["maxParticipants", 0])
    assert.deepStrictEqual(field({ maxParticipants: 1001 }), ["maxParticipants", 1001])
    assert.deepStrictEqual(field({ maxParticipants: 1.5 }), ["maxParticipants", 1.5])
    assert.deepStrictEqual(field({ feePerMessage: 10n ** 9n + 1n }), ["feePerMessage", 10n ** 9n + 1n])
    assert.deepStrictEqual(field({ feePerMessage: -1n }), ["feePerMessage", -1n])
  })

  it("Given amounts, capabilities, hashes and times, When checked, Then the limits are the program's", () => {
    assert.deepStrictEqual([0n, 1n, 10n ** 10n, 10n ** 10n + 1n].map(Rules.checkDeposit).map(passes), [
      false,
      true,
      true,
      false
    ])
    assert.deepStrictEqual([-1n, 0n, 2n ** 63n - 1n, 2n ** 63n].map(Rules.checkCapabilities).map(passes), [
      false,
      true,
      true,
      false
    ])
    assert.deepStrictEqual(["", "QmX", "é٣", "a-b", "x".repeat(101)].map(Rules.checkIpfsHash).map(passes), [
      false,
      true,
      true,
      false,
      false
    ])
    const hash = new Uint8Array(32).fill(1)
    assert.isTrue(passes(Rules.checkMessageHashes(Array.from({ length: 100 }, () => hash))))
    assert.strictEqual(rule(Rules.checkMessageHashes(Array.from({ length: 101 }, () => hash))), "must be at most 100")
    assert.strictEqual(rule(Rules.checkMessageHashes([hash, new Uint8Array(32)])), "must not be all zeros")
    assert.strictEqual(rule(Rules.checkMessageHashes([hash.slice(1)])), "must be 32 bytes")
    assert.deepStrictEqual(
      [6400n, 6399n, 13600n, 13601n].map((time) => passes(Rules.checkSyncTimestamp(time, 10000n))),
      [true, false, true, false]
    )
    assert.strictEqual(rule(Rules.checkCompressedContent("")), "must be at least 1 bytes of UTF-8")
  })

  it("Given a participant, When the next broadcast is asked for, Then it is the first second that the program allows", async () => {
    await assertProperty(
      FastCheck.property(
        FastCheck.record({
          messagesSent: FastCheck.bigInt({ min: 0n, max: 70n }),
          lastMessageAt: FastCheck.bigInt({ min: 0n, max: 100n })
        }),
        FastCheck.bigInt({ min: -10n, max: 200n }),
        FastCheck.boolean(),
        (state, now, isCompressed) => {
          const at = Rules.nextBroadcast(state, now, { isCompressed })
          assert.isTrue(at >= now && allows(state, at, isCompressed))
          for (let earlier = now; earlier < at; earlier++) assert.isFalse(allows(state, earlier, isCompressed))
        }
      ),
      500
    )
  })

  it("Given a sender that sends as soon as it may, When it continues, Then it slows down after 10 and pauses after 60", () => {
    let state: Rules.RateState = { messagesSent: 0n, lastMessageAt: 0n }
    let now = 1_700_000_000n
    const pauses: Array<bigint> = []
    for (let message = 0; message < 62; message++) {
      const at = Rules.nextBroadcast(state, now)
      pauses.push(at - now)
      state = Rules.afterBroadcast(state, at)
      now = at
    }
    assert.deepStrictEqual(pauses, [
      0n,
      ...Array.from({ length: 9 }, () => 1n),
      ...Array.from({ length: 50 }, () => 10n),
      60n,
      1n
    ])
    assert.strictEqual(state.messagesSent, 2n)
  })
})

describe("Utf8", () => {
  it("Given any bytes, When they are decoded, Then strict decoding agrees", async () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    const expected = (bytes: Uint8Array): string | undefined =>
      Either.getOrUndefined(Either.try(() => strict.decode(bytes)))
    const piece = FastCheck.oneof(
      FastCheck.string({ unit: "binary", maxLength: 3 }).map((text) => [...Utf8.encode(text)]),
      FastCheck.array(
        FastCheck.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xa0, 0x9f, 0xf0, 0xf4, 0x8f, 0x90, 0xf5, 0xff)
      ),
      FastCheck.constant([0xef, 0xbb, 0xbf])
    )
    await assertProperty(
      FastCheck.property(FastCheck.array(piece, { maxLength: 30 }), (pieces) => {
        const bytes = Uint8Array.from(pieces.flat())
        assert.strictEqual(Utf8.decode(bytes, 0, bytes.length), expected(bytes))
      }),
      500
    )
  })

  it("Given any text, When it is measured, Then the length is that of its bytes, and it is well-formed as it is", async () => {
    const halves = FastCheck.array(FastCheck.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) =>
      String.fromCharCode(...units)
    )
    await assertProperty(
      FastCheck.property(FastCheck.oneof(FastCheck.string({ unit: "binary" }), halves), (text) => {
        const bytes = Utf8.encode(text)
        assert.strictEqual(Utf8.byteLength(text), bytes.length)
        assert.strictEqual(Utf8.isWellFormed(text), Utf8.decode(bytes, 0, bytes.length) === text)
      }),
      500
    )
  })
})
