/**
 * Sealing keys that agents publish, for wallets that can only sign: X25519 public keys of 32 bytes, in base58.
 *
 * A key is in one of two places. The first one takes precedence:
 *
 * | place | guaranteed by |
 * |---|---|
 * | the fragment of the agent's metadata URI: `https://a.example/agent.json#x25519=<key>` | the chain: the wallet signed the URI |
 * | the JSON document at that URI: `{ "sealing": { "x25519": "<key>" } }` | the host of the document |
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { InvalidInput } from "../InvalidInput.js"
import * as Base58 from "../solana/Base58.js"

/**
 * Bytes of a key.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 32

const P = 2n ** 255n - 19n

/** The canonical keys of small order. A key exchange with one of them gives 0, so the result is no secret. */
const SMALL_ORDER: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  P - 1n
])

const RULE = "must be an X25519 key: 32 bytes below the field's prime, not of small order"

const toNumber = (key: Uint8Array): bigint => key.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n)

/**
 * Checks the bytes of a key. Fails for another number of bytes, a number that is not below the field's prime, and a key
 * of small order.
 *
 * @since 0.1.0
 * @category checks
 */
export const check = (key: Uint8Array, field = "key"): Either.Either<Uint8Array, InvalidInput> => {
  const number = key.length === SIZE ? toNumber(key) : P
  return number < P && !SMALL_ORDER.has(number)
    ? Either.right(key)
    : Either.left(new InvalidInput({ field, rule: RULE, size: key.length }))
}

/**
 * Reads a key in base58.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (text: string, field = "key"): Either.Either<Uint8Array, InvalidInput> =>
  Either.flatMap(
    Either.mapLeft(Base58.decode(text, SIZE), () => new InvalidInput({ field, rule: RULE })),
    (key) => check(key, field)
  )

/**
 * Writes a key in base58, the form for a metadata document.
 *
 * @since 0.1.0
 * @category encoding
 */
export const format = (key: Uint8Array): Either.Either<string, InvalidInput> => Either.map(check(key), Base58.encode)

const FRAGMENT = /#(?:[^#]*&)?x25519=([^&#]*)/

/**
 * The key in the fragment of a metadata URI. `None` if it has none; Left if the text is not a valid key.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromUri = (uri: string): Either.Either<Option.Option<Uint8Array>, InvalidInput> => {
  const text = FRAGMENT.exec(uri)?.[1]
  return text === undefined
    ? Either.right(Option.none())
    : Either.map(parse(text, "metadataUri.fragment.x25519"), Option.some)
}

/**
 * A metadata URI with the key as its fragment. A former fragment is replaced.
 *
 * @example
 * ```ts
 * import { Agent } from "@pod-protocol/effect"
 * import * as SealingNode from "@pod-protocol/effect/layers/SealingNode"
 * import * as SealingKey from "@pod-protocol/effect/protocol/SealingKey"
 * import * as Effect from "effect/Effect"
 *
 * export const publish = Effect.gen(function* () {
 *   const secret = yield* SealingNode.generateKey
 *   const publicKey = yield* SealingNode.publicKey(secret)
 *   const agents = yield* Agent.Agent
 *   yield* agents.update({ metadataUri: yield* SealingKey.toUri("https://example.com/agent.json", publicKey) })
 *   return secret
 * })
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const toUri = (uri: string, key: Uint8Array): Either.Either<string, InvalidInput> =>
  Either.map(format(key), (text) => `${uri.replace(/#.*$/s, "")}#x25519=${text}`)

/**
 * The key in a metadata document, given as parsed JSON. `None` if it has none; Left if the value is not a valid key.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromMetadata = (document: unknown): Either.Either<Option.Option<Uint8Array>, InvalidInput> => {
  if (!Predicate.hasProperty(document, "sealing") || !Predicate.hasProperty(document.sealing, "x25519")) {
    return Either.right(Option.none())
  }
  const { x25519 } = document.sealing
  return typeof x25519 === "string"
    ? Either.map(parse(x25519, "sealing.x25519"), Option.some)
    : Either.left(new InvalidInput({ field: "sealing.x25519", rule: RULE }))
}
