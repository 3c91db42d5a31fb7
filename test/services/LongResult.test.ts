import { assert, describe, expect, it } from "@effect/vitest"
import type * as Kit from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Turns from "../../services/internal/eventLoop.js"
import * as LongResult from "../../services/LongResult.js"
import * as ProgramAccount from "../../services/ProgramAccount.js"
import * as AccountDecoder from "../../services/rpc/AccountDecoder.js"
import * as Decode from "../../services/rpc/Decode.js"
import * as Decoders from "../../services/rpc/Decoders.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as JsonRpc from "../../services/wire/JsonRpc.js"
import * as Address from "../../src/solana/Address.js"
import * as Json from "../../src/solana/Json.js"
import { assertProperty } from "../support/runs.js"

/** An account as its parts' decoders read it, one field at a time: the oracle. */
const slowAt = (address: Kit.Address) =>
  Decode.object((field) =>
    Either.all({
      address: Either.right(address),
      data: field("data", Decode.base64),
      lamports: field("lamports", Decode.lamports),
      owner: field("owner", Decode.address),
      executable: field("executable", Decode.boolean),
      space: field("space", Decode.u64)
    })
  )

const slowAccount = Decode.object((field) =>
  Either.flatMap(field("pubkey", Decode.address), (address) => field("account", slowAt(address)))
)

const slow = Decoders.contextual(Decode.array(slowAccount))
const fast = Decoders.keyedAccounts

const resultOf = (reply: unknown): unknown => (Predicate.isRecord(reply) ? reply["result"] : undefined)

const NOT_JSON = { path: "", expected: "JSON" }

const read = <A>(
  reply: Either.Either<unknown, Json.JsonError>,
  decode: (result: unknown) => Effect.Effect<A, Decode.Mismatch>
): Promise<Either.Either<A, Decode.Mismatch>> =>
  Effect.runPromise(
    Effect.either(
      Effect.flatMap(
        Either.mapLeft(reply, () => NOT_JSON),
        (reply) => decode(resultOf(reply))
      )
    )
  )

const address = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Address.fromBytes(bytes))

/** Integers in every notation, as they stand in a text. */
const number = fc.oneof(
  { weight: 8, arbitrary: fc.nat().map(String) },
  fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
  fc.constantFrom(
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0",
    "90071992547409930e-1",
    "1e3",
    "1E400",
    "-0",
    "-1",
    "0.5",
    "00",
    '"5"',
    "1844674407370955161 5"
  )
)

/** Values whose texts look like where a list is cut, or like what stands around it. */
const odd = fc.constantFrom(
  "null",
  "true",
  "[]",
  "{}",
  '[{"a":1},{"b":2}]',
  '"},{"',
  '"\\"value\\":[{"',
  '"\\\\"',
  '"#n1"',
  '{"value":[{"a":1},{"b":[]}]}',
  '{"__proto__":{"pubkey":"x"}}',
  "12345678901234567890"
)

const member = (key: string, value: fc.Arbitrary<string>) => value.map((text) => `"${key}":${text}`)

const object = (...members: ReadonlyArray<fc.Arbitrary<string>>) =>
  fc
    .tuple(
      fc.oneof(
        // As Agave orders them.
        fc.constant([...members.keys()]),
        fc.shuffledSubarray([...members.keys()], { minLength: members.length })
      ),
      fc.tuple(...members),
      fc.constantFrom(",", ",", ", ", ",\n")
    )
    .map(([order, texts, comma]) => `{${order.map((index) => texts[index]).join(comma)}}`)

const usually = (value: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 60, arbitrary: value }, { weight: 1, arbitrary: odd }, { weight: 1, arbitrary: number })

const quoted = (text: string): string => `"${text}"`

const account = object(
  member("data", usually(fc.base64String({ maxLength: 40 }).map((text) => `["${text}","base64"]`))),
  member("executable", usually(fc.constantFrom("true", "false"))),
  member("lamports", usually(number)),
  member("owner", usually(fc.oneof(address, fc.constant(Address.SYSTEM_PROGRAM)).map(quoted))),
  member("rentEpoch", fc.constantFrom("0", "18446744073709551615")),
  member("space", usually(number)),
  fc.oneof(member("extra", odd), member("executable", fc.constant("true")))
)

const keyed = usually(object(member("account", usually(account)), member("pubkey", usually(address.map(quoted)))))

const replyOf = (items: fc.Arbitrary<string>) =>
  fc.record({
    items: fc.array(items, { maxLength: 12 }),
    comma: fc.constantFrom(",", ",", ",", " , "),
    context: fc.oneof(
      { weight: 9, arbitrary: fc.constant('"context":{"apiVersion":"2.3.6","slot":5}') },
      fc.constant('"a":1')
    ),
    frame: fc.constantFrom<(value: string, context: string) => string>(
      (value, context) => `{"jsonrpc":"2.0","result":{${context},"value":${value}},"id":1}`,
      (value, context) => `{"id":1,"result":{"value":${value},${context}}}`,
      (value, context) => `{"jsonrpc":"2.0","result":{${context},"value":${value},"value":[]},"id":1}`,
      (value, context) => `{"result":{"value" :[],${context}},"other":{"value":${value}}}`,
      (value, context) => `{"note":"\\"value\\":[","result":{${context},"value":${value}}}`,
      (value, context) => `{"\\"value":${value},"result":{${context},"value":1}}`,
      (value, context) => `{"result":{${context},"value":${value}},"result":null}`,
      (value, context) => `{"__proto__":{"result":1},"result":{${context},"__proto__":7,"value":${value}}}`,
      (value, context) => ` {"result": {${context}, "value":${value} } } `
    )
  })

const textOf = (items: fc.Arbitrary<string>) =>
  replyOf(items).map(({ comma, context, frame, items }) => frame(`[${items.join(comma)}]`, context))

/** Texts with a few characters lost, doubled or exchanged, or cut off. */
const damagedOf = (texts: fc.Arbitrary<string>) =>
  fc
    .tuple(
      texts,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("", "},{", "]", "[", ",", '"', "\\", "{", "}", "0"), fc.nat(3))),
      fc.boolean()
    )
    .map(([text, damages, isTruncated]) => {
      let out = text
      for (const [position, put, lost] of damages) {
        const at = position % (out.length + 1)
        out = out.slice(0, at) + put + out.slice(at + lost)
      }
      return isTruncated ? out.slice(0, Math.floor((out.length * 2) / 3)) : out
    })

const textsOf = (items: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 3, arbitrary: textOf(items) }, { weight: 1, arbitrary: damagedOf(textOf(items)) })

const texts = textsOf(keyed)

/** Lists of requested accounts, some of which do not exist. */
const bareTexts = textsOf(
  fc.oneof({ weight: 4, arbitrary: usually(account) }, { weight: 1, arbitrary: fc.constant("null") })
)

const size = fc.integer({ min: 1, max: 120 })

/** An account's text as Agave writes it. */
const agave = (index: number): string => {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, index)
  return `{"account":{"data":["AQID","base64"],"executable":false,"lamports":${index},"owner":"${Address.SYSTEM_PROGRAM}","rentEpoch":18446744073709551615,"space":3},"pubkey":"${Address.fromBytes(bytes)}"}`
}

const COUNT = 10_000

const long = (items: ReadonlyArray<string>): string =>
  `{"jsonrpc":"2.0","result":{"context":{"slot":5},"value":[${items.join(",")}]},"id":1}`

const accounts = Array.from({ length: COUNT }, (_, index) => agave(index))

const pool = (text: string) =>
  RpcPool.make({
    host: "node.test",
    request: (method) => JsonRpc.reply(text, 1, method, "node.test"),
    batch: () => Effect.succeed([]),
    subscribe: () => Stream.empty
  })

/** How often the event loop turned while an effect ran. */
const turns = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<readonly [A, number], E> =>
  Effect.suspend(() => {
    let count = 0
    let waiting: NodeJS.Immediate
    const turn = () => {
      count++
      waiting = setImmediate(turn)
    }
    waiting = setImmediate(turn)
    return Effect.ensuring(
      Effect.map(effect, (value) => [value, count] as const),
      Effect.sync(() => clearImmediate(waiting))
    )
  })

/** A reply with these accounts, some of which are missing. */
const requested = (count: number, lamportsOf: (index: number) => number) => {
  const items = Array.from({ length: count }, (_, index) =>
    index % 7 === 3
      ? "null"
      : `{"data":["AQID","base64"],"executable":false,"lamports":${lamportsOf(index)},"owner":"${Address.SYSTEM_PROGRAM}","rentEpoch":18446744073709551615,"space":3}`
  )
  return { text: long(items), addresses: items.map((_, index) => Address.fromBytes(new Uint8Array(32).fill(index))) }
}

describe("LongResult", () => {
  it("Given any valid or invalid reply, When it is read in pieces, Then the result or the error is that of the whole", () =>
    assertProperty(
      fc.asyncProperty(texts, size, async (text, size) => {
        const expected = await read(Json.parse(text), slow)
        const actual = await read(LongResult.parse(text, size), fast)
        expect(actual).toStrictEqual(expected)
      })
    ))

  it("Given any list of requested accounts, When it is read in pieces, Then the result or the error is that of the whole", () =>
    assertProperty(
      fc.asyncProperty(bareTexts, size, fc.array(address, { maxLength: 12 }), async (text, size, others) => {
        const value = resultOf(Either.getOrUndefined(Json.parse(text)))
        const items = Predicate.isRecord(value) && Array.isArray(value["value"]) ? value["value"].length : 1
        // Mostly as many addresses as accounts.
        const addresses = Array.from(
          { length: others.length > 10 ? others.length : items },
          () => Address.SYSTEM_PROGRAM
        )
        const requested = addresses.map((address, index) => others[index] ?? address)
        const exact = Decoders.contextual(Decode.forEach(requested, (address) => Decode.optional(slowAt(address))))
        const expected = await read(Json.parse(text), exact)
        const actual = await read(LongResult.parseAccounts(text, size), (result) =>
          Decoders.accounts(requested)(result)
        )
        expect(actual).toStrictEqual(expected)
      })
    ))

  it("Given any reply, When it is parsed with its list, Then every integer is exact", () =>
    assertProperty(
      fc.asyncProperty(texts, size, async (text, size) => {
        const expected = await read(Json.parse(text), Effect.succeed)
        const actual = await read(LongResult.parse(text, size), LongResult.whole)
        expect(actual).toStrictEqual(expected)
      })
    ))

  it("Given any value, When it is read as a keyed account, Then the result equals that of the decoders of its parts", async () => {
    await assertProperty(
      fc.property(fc.oneof(keyed, fc.json()), (text) => {
        const value = Either.getOrUndefined(Json.parse(text))
        expect(AccountDecoder.keyedAccount(value)).toStrictEqual(slowAccount(value))
      })
    )
  })

  it.effect("Given a long reply, When read, Then it is cut and nothing is lost", () =>
    Effect.gen(function* () {
      const text = long(accounts)
      const result = resultOf(Either.getOrThrow(LongResult.parse(text)))
      assert.isTrue(result instanceof LongResult.LongResult)
      const { value } = yield* pool(text).getProgramAccounts(Address.SYSTEM_PROGRAM)
      assert.deepStrictEqual(
        value.map(({ lamports }) => lamports),
        accounts.map((_, index) => BigInt(index))
      )
    })
  )

  it.effect("Given ten thousand accounts, When they are read and decoded, Then the event loop keeps turning", () =>
    Effect.gen(function* () {
      const rpc = pool(long(accounts))
      const [{ value }, whileRead] = yield* turns(rpc.getProgramAccounts(Address.SYSTEM_PROGRAM))
      // 256 KiB of about 2 MB in a turn.
      expect(whileRead).toBeGreaterThanOrEqual(7)
      const [decoded, whileDecoded] = yield* turns(
        ProgramAccount.decodeMany(value, (bytes) => Either.right(bytes.length))
      )
      expect(whileDecoded).toBeGreaterThanOrEqual(9)
      expect(decoded.map(({ address }) => address)).toStrictEqual(value.map(({ address }) => address))
      const [, whileRaw] = yield* turns(rpc.request("getProgramAccounts"))
      expect(whileRaw).toBeGreaterThanOrEqual(7)
    })
  )

  it.effect(
    "Given a transport of parsed replies, When it returns ten thousand accounts, Then the event loop keeps turning",
    () =>
      Effect.gen(function* () {
        const result = resultOf(Either.getOrThrow(Json.parse(long(accounts))))
        const rpc = RpcPool.make({
          host: "node.test",
          request: () => Effect.succeed(result),
          batch: () => Effect.succeed([]),
          subscribe: () => Stream.empty
        })
        const [{ value }, count] = yield* turns(rpc.getProgramAccounts(Address.SYSTEM_PROGRAM))
        expect([value.length, count >= 9]).toStrictEqual([COUNT, true])
      })
  )

  it.effect(
    "Given a hundred requested accounts, When they are read, Then each is at its address, with its own bytes",
    () =>
      Effect.gen(function* () {
        const { addresses, text } = requested(100, (index) => index % 5)
        const reply = yield* LongResult.parseAccounts(text)
        const result = resultOf(reply)
        assert.isTrue(result instanceof LongResult.AccountsResult)
        const node = RpcPool.make({
          host: "node.test",
          request: () => Effect.succeed(result),
          batch: () => Effect.succeed([]),
          subscribe: () => Stream.empty
        })
        const first = yield* node.getMultipleAccounts(addresses)
        first.value.forEach(Option.map(({ data }) => data.fill(9)))
        const { slot, value } = yield* node.getMultipleAccounts(addresses)
        assert.strictEqual(slot, 5n)
        assert.deepStrictEqual(
          value.map(Option.map(({ address, data, lamports }) => [address, data.join(), lamports])),
          addresses.map((address, index) =>
            index % 7 === 3 ? Option.none() : Option.some([address, "1,2,3", BigInt(index % 5)])
          )
        )
        const error = yield* Effect.flip(node.getMultipleAccounts(addresses.slice(1)))
        assert.deepInclude(error, { reason: "Decode", detail: "expected an array of 99 at result.value" })
        assert.deepStrictEqual(yield* LongResult.whole(result), resultOf(Either.getOrThrow(Json.parse(text))))
      })
  )

  it.effect("Given accounts of many kinds, or more than a node returns, When they are read, Then they are parsed", () =>
    Effect.gen(function* () {
      for (const { addresses, text } of [requested(60, (index) => index), requested(101, () => 1)]) {
        assert.isFalse(resultOf(yield* LongResult.parseAccounts(text)) instanceof LongResult.LongResult)
        const exact = Decoders.contextual(Decode.forEach(addresses, (address) => Decode.optional(slowAt(address))))
        const expected = yield* exact(resultOf(yield* Json.parse(text)))
        assert.deepStrictEqual(
          yield* Decoders.accounts(addresses)(resultOf(yield* LongResult.parseAccounts(text))),
          expected
        )
      }
    })
  )

  it.effect.each(["getMultipleAccounts", "getProgramAccounts"])(
    "Given an account with three million members in a reply to %s, When it is read, Then no reader overflows",
    (method) =>
      Effect.gen(function* () {
        const [bare = "", keyed = ""] = [requested(1, () => 1).text, agave(1)]
        const members = `"base64"]${',"a":1'.repeat(3_000_000)}`
        const isBare = method === "getMultipleAccounts"
        const node = pool((isBare ? bare : long([keyed])).replace('"base64"]', members))
        const { value } = isBare
          ? yield* Effect.map(node.getMultipleAccounts([Address.SYSTEM_PROGRAM]), ({ value }) => ({
              value: Arr.getSomes(value)
            }))
          : yield* node.getProgramAccounts(Address.SYSTEM_PROGRAM)
        assert.deepStrictEqual(
          value.map(({ lamports }) => lamports),
          [1n]
        )
      })
  )

  it("Given requested accounts, When one is no JSON, Then the reply fails before it reaches the caller", () => {
    const { text } = requested(100, () => 1)
    const reply = JsonRpc.reply(text.replace('"space":3}', '"space":3,}'), 1, "getMultipleAccounts", "node.test")
    expect(Either.getOrThrow(Either.flip(reply))).toMatchObject({
      reason: "Decode",
      detail: expect.stringMatching(/^the reply of \d+ characters is not JSON$/)
    })
  })

  it.effect("Given a raw request, When the reply is long, Then it is whole and exact", () =>
    Effect.gen(function* () {
      const text = long(accounts)
      const result = yield* pool(text).request("getProgramAccounts")
      expect(result).toStrictEqual(resultOf(Either.getOrThrow(Json.parse(text))))
    })
  )

  it.effect.each<readonly [string, string, string]>([
    [
      "an account that is none",
      agave(1).replace("false", "0"),
      "expected a boolean at result.value[9000].account.executable"
    ],
    ["a text that is not JSON", agave(1).replace("false", "falso"), "expected JSON at result"],
    ["a list in the list", `[${agave(1)},${agave(2)}]`, "expected an object at result.value[9000]"],
    [
      "a balance beyond u64",
      agave(1).replace('"lamports":1', '"lamports":18446744073709551616'),
      "expected a u64 at result.value[9000].account.lamports"
    ]
  ])("Given %s far behind, When read, Then the error names the path", ([, item, detail]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(pool(long(accounts.with(9000, item))).getProgramAccounts(Address.SYSTEM_PROGRAM))
      expect(error).toMatchObject({ reason: "Decode", detail })
    })
  )

  it.effect("Given a balance beyond 2^53 far behind, When read, Then it is exact", () =>
    Effect.gen(function* () {
      const whale = agave(1).replace('"lamports":1', '"lamports":9007199254740993')
      const { value } = yield* pool(long(accounts.with(9000, whale))).getProgramAccounts(Address.SYSTEM_PROGRAM)
      expect(value[9000]?.lamports).toBe(9007199254740993n)
    })
  )

  it.effect("Given a reader that is interrupted, When the event loop turns, Then the rest is not read", () =>
    Effect.gen(function* () {
      const { value } = yield* pool(long(accounts)).getProgramAccounts(Address.SYSTEM_PROGRAM)
      let count = 0
      const reading = yield* Effect.fork(ProgramAccount.decodeMany(value, () => Either.right(++count)))
      yield* Effect.yieldNow()
      yield* Turns.next
      yield* Fiber.interrupt(reading)
      expect(count).toBe(1024)
    })
  )

  it.effect("Given one account that cannot be decoded, When many are decoded, Then the call fails with its error", () =>
    Effect.gen(function* () {
      const { value } = yield* pool(long(accounts)).getProgramAccounts(Address.SYSTEM_PROGRAM)
      let count = 0
      const decode = () => (++count === 5000 ? Either.left("broken") : Either.right(count))
      expect(yield* Effect.flip(ProgramAccount.decodeMany(value, decode))).toBe("broken")
      expect(count).toBe(5000)
    })
  )
})
