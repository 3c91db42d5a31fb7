/**
 * Asks an agent, wherever it is.
 *
 * Invariants: one call of `send` uses one `id`, which is drawn where the caller gives none. Whatever becomes of the call, the
 * agent has sent the message once or not at all. A caller sees an interruption only if it was interrupted itself: a runner
 * that leaves ends its callers by interrupts, and these ask again.
 */
import type { Sharding } from "@effect/cluster/Sharding"
import type { Address } from "@solana/kit"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Hex from "../../services/internal/hex.js"
import * as Random from "../../services/internal/random.js"
import { MessageReceipt } from "../../services/internal/receipts.js"
import { traced } from "../../services/internal/traced.js"
import type * as Message from "../../services/Message.js"
import * as Check from "../../src/internal/check.js"
import * as Utf8 from "../../src/internal/Utf8.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Envelope from "../../src/protocol/Envelope.js"
import * as MessageId from "../../src/protocol/MessageId.js"
import { seed, Text } from "../../src/protocol/MessageType.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Curve from "../../src/solana/Curve.js"
import * as Hash from "../../src/solana/Hash.js"
import { AgentClusterError } from "./AgentClusterError.js"
import { AgentEntity } from "./Protocol.js"

/**
 * A message that an agent of the cluster is to send. There are no bare bytes, which have no place for an `id`.
 *
 * @since 0.1.0
 * @category models
 */
export type SendInput = Omit<Message.SendInput, "raw" | "zeroCopy">

/**
 * Options of `send`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendOptions {
  /**
   * How long to wait for the receipt, over failures of runners. Default 2 minutes. Too low: `AgentClusterError` of reason
   * `Timeout` while a runner fails over, which takes up to 15 seconds. Too high: the caller learns late that no runner lives.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * An agent, as seen from anywhere in the cluster.
 *
 * @since 0.1.0
 * @category models
 */
export interface Client {
  /**
   * Has the agent send a message, and waits for the receipt. The request is in the cluster's database before anything is
   * done, and the runner that has the agent does it: another one, if the first is killed. Calls with the same `id` and the
   * same content make one message and give one receipt, from any process. A call that failed may be made again.
   */
  readonly send: (
    input: SendInput,
    options?: SendOptions
  ) => Effect.Effect<Message.MessageReceipt, AgentClusterError | Message.SendError, Sharding>
}

/** Bytes of a payload: it lies in the database, in base64, until it is pruned. */
const MAX_PAYLOAD = 256 * 1024

const MAX_ID = 1024

/** Failures of earlier asks that are passed over. */
const MAX_ASKS = 64

/** Interrupts after which the answer of a key is taken for an interrupt that was stored. */
const MAX_INTERRUPTS = 3

const PAUSE = 200

const DEFAULT_TIMEOUT = "2 minutes"

const invalid = (field: string, rule: string, size?: number) => new InvalidInput({ field, rule, size })

/** The address of an agent's wallet, which names the agent. */
export const checkAgent = (agent: Address): Effect.Effect<Address, InvalidInput> => {
  const wrong = Addresses.check(agent, "agent")
  if (wrong !== undefined) return Effect.fail(wrong)
  return Curve.isKey(agent)
    ? Effect.succeed(agent)
    : Effect.fail(invalid("agent", "must be the address of the agent's wallet, which is on the ed25519 curve"))
}

const bytesOf = (payload: Uint8Array | string): Effect.Effect<Uint8Array, InvalidInput> => {
  if (typeof payload !== "string" && !(payload instanceof Uint8Array)) {
    return Effect.fail(invalid("payload", "must be bytes or a text"))
  }
  const bytes = typeof payload === "string" ? Utf8.encode(payload) : payload
  return bytes.length <= MAX_PAYLOAD
    ? Effect.succeed(bytes)
    : Effect.fail(invalid("payload", `must be at most ${MAX_PAYLOAD} bytes`, bytes.length))
}

/** What is asked, checked as the agent will check it. */
const prepare = (input: SendInput) =>
  Effect.gen(function* () {
    if (typeof input !== "object" || input === null) return yield* invalid("input", "must be an object")
    const { recipient, seal = false, sealTo, type = Text } = input
    const wrong = Addresses.check(recipient, "recipient")
    if (wrong !== undefined) return yield* wrong
    if (!Curve.isKey(recipient)) return yield* invalid("recipient", "must be the recipient's wallet")
    if (typeof type !== "object" || type === null) return yield* invalid("type", "must be a message type")
    yield* seed(type)
    if (typeof seal !== "boolean") return yield* invalid("seal", "must be true or false")
    if (sealTo !== undefined) yield* Check.oneOf("sealTo", sealTo, ["published", "wallet"])
    if (typeof input.id === "string" && input.id.length > MAX_ID) {
      return yield* invalid("id", `must be at most ${MAX_ID} characters`, input.id.length)
    }
    const payload = yield* bytesOf(input.payload)
    const id = input.id === undefined ? Random.unsafeBytes(MessageId.SIZE) : yield* MessageId.toBytes(input.id)
    const now = input.id === undefined ? BigInt(yield* Effect.clockWith((clock) => clock.currentTimeMillis)) : 0n
    const createdAt = input.createdAt ?? now
    yield* Envelope.header({ createdAt, id })
    const content = [recipient, type, Hex.encode(id), `${createdAt}`, seal, sealTo, Hex.encode(Hash.sha256(payload))]
    const key = Hex.encode(Hash.sha256(Utf8.encode(JSON.stringify(content))))
    return { key, fields: { recipient, payload, type, id, createdAt, seal, sealTo } }
  })

const timedOut = (millis: number) =>
  new AgentClusterError({ reason: "Timeout", detail: `No receipt came within ${millis} milliseconds` })

const send = (agent: Address, input: SendInput, options: SendOptions | undefined) =>
  Effect.gen(function* () {
    yield* checkAgent(agent)
    const timeout = yield* Check.millis("timeout", options?.timeout ?? DEFAULT_TIMEOUT)
    const { fields, key } = yield* prepare(input)
    const clientOf = yield* AgentEntity.client
    const ask = Hex.encode(Random.unsafeBytes(16))
    let failure: AgentClusterError | undefined

    const under = (
      number: number,
      interrupts: number
    ): Effect.Effect<Message.MessageReceipt, AgentClusterError | Message.SendError> =>
      clientOf(agent)
        .Send({ ...fields, key: `${key}/${number}`, ask })
        .pipe(
          Effect.exit,
          Effect.flatMap((exit) => {
            if (Exit.isSuccess(exit)) {
              const { address, fee, payloadHash, signature, slot } = exit.value
              return Effect.succeed(new MessageReceipt(signature, slot, fee, address, payloadHash))
            }
            if (Cause.isInterruptedOnly(exit.cause)) {
              // Asked again under the same key, where the answer may be by now.
              const next = interrupts + 1 < MAX_INTERRUPTS ? under(number, interrupts + 1) : under(number + 1, 0)
              return Effect.delay(next, PAUSE)
            }
            const failed = Cause.failureOrCause(exit.cause)
            if (failed._tag === "Right") return Effect.failCause(failed.right)
            const error = failed.left
            if ("ask" in error) {
              return error.ask === ask || number >= MAX_ASKS ? Effect.fail(error.error) : under(number + 1, 0)
            }
            if (error._tag === "PersistenceError") {
              failure = new AgentClusterError({ reason: "Storage", cause: error.cause })
            }
            return Effect.delay(under(number, interrupts), PAUSE)
          })
        )

    return yield* under(0, 0).pipe(
      Effect.timeoutFail({ duration: timeout, onTimeout: () => failure ?? timedOut(timeout) })
    )
  }).pipe(traced("AgentCluster.send", { "pod.wallet": agent }))

/**
 * The agent with this wallet. Nothing is done before a method's Effect runs, and an address that is none is `InvalidInput`
 * there.
 *
 * @example
 * ```ts
 * import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
 * import type { Address } from "@solana/kit"
 *
 * export const confirmOrder = (shop: Address, customer: Address, order: string) =>
 *   AgentCluster.client(shop).send({ id: order, recipient: customer, payload: `order ${order} is on its way` })
 * ```
 *
 * @since 0.1.0
 * @category clients
 */
export const client = (agent: Address): Client => ({ send: (input, options) => send(agent, input, options) })
