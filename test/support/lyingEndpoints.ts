import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { AccountInfo, SignatureStatus } from "../../services/rpc/Reply.js"
import { RpcPool, type Service } from "../../services/RpcPool.js"
import { RpcError, type RpcTransport, SubscriptionError } from "../../services/RpcTransport.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import * as Signatures from "../../src/solana/Signature.js"

/** The lies of an endpoint. */
export type Lie =
  /** A blockhash has expired and came from an old bank. */
  | "lifetime"
  /** A height above its slot. */
  | "height"
  /** Slots and heights far in the future. */
  | "ahead"
  /** No blockhash is valid. */
  | "dead"
  /** Every blockhash is valid. */
  | "alive"
  /** No signature is known. */
  | "unknown"
  /** No account exists. */
  | "empty"
  /** Forwards the bytes, and reports an unknown blockhash. */
  | "blockhash"
  /** Forwards the bytes, and reports a failure. */
  | "fails"
  /** Forwards the bytes, and reports a malformed transaction. */
  | "refuses"

const FAR = 1_000_000n

/** A call whose arguments another node has checked. */
const valid = <A, E>(call: Effect.Effect<A, E | InvalidInput>) =>
  Effect.catchIf(call, (error): error is InvalidInput => error instanceof InvalidInput, Effect.die)

const statusJson = ({ confirmations, confirmationStatus, err, slot }: SignatureStatus) => ({
  slot,
  err,
  confirmations: Option.getOrNull(confirmations),
  confirmationStatus: Option.getOrNull(confirmationStatus)
})

const accountJson = ({ data, executable, lamports, owner, space }: AccountInfo) => ({
  data: [Base64.encode(data), "base64"],
  executable,
  lamports,
  owner,
  rentEpoch: 0,
  space
})

const refusal = (code: number, err?: unknown) =>
  new RpcError({
    reason: "Node",
    method: "sendTransaction",
    code,
    detail: "no",
    ...(err === undefined ? {} : { data: { err, logs: [] } })
  })

const Texts = Schema.decodeUnknownSync(Schema.Array(Schema.String))
const Config = Schema.decodeUnknownSync(
  Schema.Struct({
    commitment: Schema.optional(Schema.Literal("processed", "confirmed", "finalized")),
    skipPreflight: Schema.optional(Schema.Boolean)
  })
)
const signatureOf = Schema.decodeUnknownSync(Signatures.Schema)
const blockhashOf = Schema.decodeUnknownSync(Blockhashes.Schema)
const addressOf = Schema.decodeUnknownSync(Addresses.Schema)
const bytesOf = (text: unknown) => Either.getOrThrow(Base64.decode(Predicate.isString(text) ? text : ""))

/** A node of the model cluster behind JSON, with these lies. */
export const make = (
  layer: Layer.Layer<RpcPool>,
  host: string,
  lies: ReadonlySet<Lie>,
  onSend: (wire: Uint8Array, signature: Signature) => void = () => {}
): Effect.Effect<RpcTransport> =>
  Effect.gen(function* () {
    const node: Service = yield* RpcPool
    const lead = lies.has("ahead") ? FAR : 0n
    const contextual = (slot: bigint, value: unknown) => ({ context: { slot: slot + lead }, value })

    const answer = (method: string, params: ReadonlyArray<unknown>): Effect.Effect<unknown, RpcError> => {
      const options = Config(params.findLast((param) => Predicate.isRecord(param)) ?? {})
      switch (method) {
        case "getLatestBlockhash":
          return Effect.map(node.getLatestBlockhash(options), ({ slot, value }) =>
            lies.has("lifetime")
              ? { context: { slot: 5 }, value: { ...value, lastValidBlockHeight: 1 } }
              : { context: { slot }, value }
          )
        case "getEpochInfo":
          return Effect.map(node.getEpochInfo(options), (info) => ({
            ...info,
            absoluteSlot: info.absoluteSlot + lead,
            blockHeight: lies.has("height") ? 2 ** 53 - 1 : info.blockHeight + lead,
            transactionCount: null
          }))
        case "isBlockhashValid":
          return Effect.map(valid(node.isBlockhashValid(blockhashOf(params[0]), options)), ({ slot, value }) =>
            contextual(slot, lies.has("alive") || (value && !lies.has("dead")))
          )
        case "getSignatureStatuses":
          return Effect.map(
            Effect.orDie(node.getSignatureStatuses(Texts(params[0]).map((text) => signatureOf(text)))),
            ({ slot, value }) =>
              contextual(
                slot,
                value.map((status) => (lies.has("unknown") ? null : Option.getOrNull(Option.map(status, statusJson))))
              )
          )
        case "getAccountInfo":
          return Effect.map(valid(node.getAccountInfo(addressOf(params[0]), options)), ({ slot, value }) =>
            contextual(slot, Option.getOrNull(Option.map(value, accountJson)))
          )
        case "getMultipleAccounts":
          return Effect.map(
            Effect.orDie(
              node.getMultipleAccounts(
                Texts(params[0]).map((text) => addressOf(text)),
                options
              )
            ),
            ({ slot, value }) =>
              contextual(
                slot,
                value.map((info) => (lies.has("empty") ? null : Option.getOrNull(Option.map(info, accountJson))))
              )
          )
        case "sendTransaction": {
          const wire = bytesOf(params[0])
          return Effect.tap(valid(node.sendTransaction(wire, options)), (signature) => onSend(wire, signature)).pipe(
            Effect.flatMap((signature) => {
              if (lies.has("blockhash")) return Effect.fail(refusal(-32002, "BlockhashNotFound"))
              if (lies.has("fails")) return Effect.fail(refusal(-32002, { InstructionError: [0, { Custom: 1 }] }))
              return lies.has("refuses") ? Effect.fail(refusal(-32003)) : Effect.succeed(signature)
            })
          )
        }
        case "getFirstAvailableBlock":
          return Effect.succeed(0)
        default:
          return Effect.succeed(null)
      }
    }

    const transport: RpcTransport = {
      host,
      request: answer,
      batch: (calls) => Effect.forEach(calls, ({ method, params }) => Effect.either(answer(method, params))),
      subscribe: (kind) =>
        Stream.fail(new SubscriptionError({ reason: "Connect", method: `${kind}Subscribe`, detail: "none" }))
    }
    return transport
  }).pipe(Effect.provide(layer))
