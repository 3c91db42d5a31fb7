import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as AccountDecoder from "../../../services/rpc/AccountDecoder.js"
import * as AccountTexts from "../../../services/rpc/AccountTexts.js"
import * as Decode from "../../../services/rpc/Decode.js"
import * as Address from "../../../src/solana/Address.js"
import * as Json from "../../../src/solana/Json.js"
import { assertProperty } from "../../support/runs.js"

/** The oracle: the list parsed, and each item decoded. */
const parsed = (items: string) => Either.flatMap(Json.parse(`[${items}]`), Decode.array(AccountDecoder.keyedAccount))

const read = (items: string) => AccountTexts.keyed(items, AccountDecoder.keyedAccount)

const example = AccountDecoder.account(Address.SYSTEM_PROGRAM)

/** The oracle of accounts without addresses. */
const parsedBare = (items: string) => Either.flatMap(Json.parse(`[${items}]`), Decode.array(Decode.optional(example)))

const readBare = (items: string) => AccountTexts.bare(items, example, 100)

const SYSTEM = Address.SYSTEM_PROGRAM

const usual = {
  data: "AQID",
  encoding: "base64",
  executable: "false",
  lamports: "1781760",
  owner: SYSTEM,
  rentEpoch: "18446744073709551615",
  space: "3",
  more: "",
  pubkey: SYSTEM
}

type Parts = { readonly [_ in keyof typeof usual]: string }

/** An account as Agave writes it. */
const agave = (parts: Partial<Parts> = {}): string => {
  const { data, encoding, executable, lamports, more, owner, pubkey, rentEpoch, space } = { ...usual, ...parts }
  return `{"account":{"data":["${data}","${encoding}"],"executable":${executable},"lamports":${lamports},"owner":"${owner}","rentEpoch":${rentEpoch},"space":${space}${more}},"pubkey":"${pubkey}"}`
}

/** An account as Agave writes it in a list of requested ones. */
const bare = (parts: Partial<Parts> = {}): string =>
  agave(parts).slice('{"account":'.length, -`,"pubkey":"${parts.pubkey ?? SYSTEM}"}`.length)

const address = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Address.fromBytes(bytes))

const data = fc.oneof(
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("base64")) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ minLength: 900, maxLength: 1200 }).map((bytes) => Buffer.from(bytes).toString("base64"))
  }
)

/** Accounts of few kinds, as in a listing. */
const kinds = fc.constantFrom<Partial<Parts>>(
  {},
  {},
  {},
  { lamports: "9007199254740993" },
  { owner: "11111111111111111111111111111112", executable: "true", space: "0" }
)

const sound = fc
  .array(
    fc.tuple(kinds, data, address).map(([kind, data, pubkey]) => agave({ ...kind, data, pubkey })),
    { minLength: 1, maxLength: 8 }
  )
  .map((items) => items.join(","))

/** Parts that are wrong, unusual, or look like what stands around them. */
const odd = fc.constantFrom<Partial<Parts>>(
  { data: "AQI" },
  { data: "AQI=" },
  { data: "A-_D" },
  { data: "AQID\\u0041AAA" },
  { data: "ŁŁŁŁ" },
  { data: 'AQID","base64"],"x":["AQID' },
  { encoding: "base58" },
  { executable: "0" },
  { lamports: "18446744073709551616" },
  { lamports: "01" },
  { lamports: "-1" },
  { lamports: "1e3" },
  { lamports: "1.5" },
  { lamports: "true" },
  { owner: "" },
  { owner: "\\u0031" },
  { rentEpoch: "1.8446744073709552e19" },
  { rentEpoch: "x" },
  { space: "null" },
  { more: ',"data":["AAAA","base64"]' },
  { more: ',"data":"AAAA"' },
  { more: ',"lamports":5' },
  { more: ',"__proto__":5' },
  { more: ',"extra":{"a":1}' },
  { more: '},"account":{"space":1' },
  { pubkey: "" },
  { pubkey: `${SYSTEM}1` },
  { pubkey: `\\u0031${SYSTEM.slice(1)}` },
  { pubkey: `${SYSTEM}\\` },
  { pubkey: `${SYSTEM.slice(1)}\n` },
  { pubkey: `${SYSTEM}","pubkey":"${SYSTEM}` },
  { pubkey: `${SYSTEM}"},{"account":{"data":["` }
)

/** Texts with a few characters lost, doubled or exchanged. */
const damagedOf = (texts: fc.Arbitrary<string>) =>
  fc
    .tuple(
      texts,
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.constantFrom("", "},{", "]", "[", ",", '"', "\\", "{", "}", "0", " ", agave()),
          fc.nat(3)
        ),
        { maxLength: 3 }
      )
    )
    .map(([text, damages]) => {
      let out = text
      for (const [position, put, lost] of damages) {
        const at = position % (out.length + 1)
        out = out.slice(0, at) + put + out.slice(at + lost)
      }
      return out
    })

const withOdd = fc
  .array(
    fc.oneof(
      fc.tuple(kinds, data, address).map(([kind, data, pubkey]) => agave({ ...kind, data, pubkey })),
      odd.map(agave)
    ),
    { minLength: 1, maxLength: 6 }
  )
  .map((items) => items.join(","))

const soundBare = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.tuple(kinds, data).map(([kind, data]) => bare({ ...kind, data })) },
      { weight: 1, arbitrary: fc.constant("null") }
    ),
    { minLength: 1, maxLength: 8 }
  )
  .map((items) => items.join(","))

const oddBare = fc
  .array(
    fc.oneof(
      odd.map(bare),
      data.map((data) => bare({ data })),
      fc.constantFrom("null", "nul", "[]", "null1", "")
    ),
    {
      minLength: 1,
      maxLength: 6
    }
  )
  .map((items) => items.join(","))

describe("AccountTexts", () => {
  it("Given accounts as a node writes them, When the text is read, Then the result is that of the parser and the decoder", () =>
    assertProperty(
      fc.property(sound, (items) => {
        expect(read(items)).toStrictEqual(Either.getOrThrow(parsed(items)))
      })
    ))

  it("Given any other valid or invalid text, When it is read, Then it is left to the parser or read to the same result", () =>
    assertProperty(
      fc.property(fc.oneof(withOdd, damagedOf(sound)), (items) => {
        const accounts = read(items)
        if (accounts !== undefined) expect(Either.right(accounts)).toStrictEqual(parsed(items))
      })
    ))

  it("Given accounts without addresses, When the text is read, Then the result is that of the parser and the decoder", () =>
    assertProperty(
      fc.property(soundBare, (items) => {
        expect(readBare(items)).toStrictEqual(Either.getOrThrow(parsedBare(items)))
      })
    ))

  it("Given any other text without addresses, When it is read, Then it is left to the parser or read to the same result", () =>
    assertProperty(
      fc.property(fc.oneof(oddBare, damagedOf(soundBare)), (items) => {
        const accounts = readBare(items)
        if (accounts !== undefined) expect(Either.right(accounts)).toStrictEqual(parsedBare(items))
      })
    ))

  it.each<readonly [string, string]>([
    ["nothing", ""],
    ["a comma behind it", `${bare()},`],
    ["two commas", `${bare()},,${bare()}`],
    ["half a null", `${bare()},nul`],
    ["a keyed account", agave()],
    ["the data once more, as a word", bare({ more: ',"data":"AQID"' })],
    ["white space", bare().replaceAll(",", ", ")]
  ])("Given %s, When a text without addresses is read, Then it is left to the parser", (_, items) => {
    expect(readBare(items)).toBeUndefined()
  })

  it.each<readonly [string, string]>([
    ["the data twice", agave({ more: ',"data":["","base64"]' })],
    ["the data once more, as a word", agave({ more: ',"data":"AQID"' })],
    ["the account twice", agave({ more: '},"account":{"space":1' })],
    ["the address twice", agave({ pubkey: `${SYSTEM}","pubkey":"${SYSTEM}` })],
    ["an address with an escaped quote", `${agave({ pubkey: `${SYSTEM}\\` })},${agave()}`],
    ["white space", agave().replaceAll(",", ", ")],
    ["another order", agave().replace(/"executable":false,(.*?),"owner"/, '$1,"executable":false,"owner"') + " "],
    ["another list behind it", `${agave()}]`],
    ["half an account behind it", `${agave()},${agave().slice(0, 60)}`],
    ["no address", agave().slice(0, -40)],
    ["base64 of the URL alphabet", agave({ data: "A-_D" })],
    ["letters beyond Latin 1 in another account", `${agave({ data: "ŁŁŁŁ" })},${agave()}`],
    ["nothing", ""]
  ])("Given %s, When the text is read, Then it is left to the parser", (_, items) => {
    expect(read(items)).toBeUndefined()
  })

  it("Given accounts that all differ, When the text is read, Then they are left to the parser", () => {
    const items = Array.from({ length: 50 }, (_, index) => agave({ lamports: String(index) })).join(",")
    expect(read(items)).toBeUndefined()
  })

  it("Given accounts of one list, When the data of one is changed, Then the others stay as they are", () => {
    const items = Array.from({ length: 300 }, () => agave({ data: "AQIDBAU=" })).join(",")
    const accounts = read(items) ?? []
    accounts[150]?.data.fill(9)
    const others = accounts.filter(({ data }) => data.join() === "1,2,3,4,5")
    expect([accounts.length, others.length]).toStrictEqual([300, 299])
  })
})
