/**
 * Calls an agent on any runner.
 *
 * Invariants: one call of `send` uses one `id`; without a given one, it is random. Whatever the result of the call is,
 * the agent sends the message at most once. A caller sees an interruption only if it was interrupted itself: a runner
 * that ends interrupts its callers, and these ask again.
 */
import type { AlreadyProcessingMessage, MailboxFull, PersistenceError } from "@effect/cluster/ClusterError"
import type { Sharding } from "@effect/cluster/Sharding"
import type { Address } from "@solana/kit"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Hex from "../../services/internal/hex.js"
import * as Random from "../../services/internal/random.js"
import { MessageReceipt } from "../../services/internal/receipts.js"
import * as TimeLimit from "../../services/internal/timeLimit.js"
import { traced } from "../../services/internal/traced.js"
import type * as Message from "../../services/Message.js"
import type * as Receipt from "../../services/Receipt.js"
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
 * A message for an agent of the cluster to send. Bare bytes are excluded, because they have no place for an `id`.
 *
 * @since 0.1.0
 * @category models
 */
export type SendInput = Omit<Message.SendInput, "raw" | "zeroCopy">

/**
 * The address of a runner.
 *
 * @since 0.1.0
 * @category models
 */
export interface Runner {
  /** A name or an IP address. */
  readonly host: string
  /** A port from 1 to 65535. */
  readonly port: number
}

/**
 * Options of a call to an agent.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /**
   * How long to wait for the answer, including failures of runners. Default 2 minutes. Too low: `AgentClusterError` of
   * reason `Timeout` during a failover, which takes up to 15 seconds. Too high: the caller learns late that no runner
   * is alive.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * An agent of the cluster, callable from any process.
 *
 * @since 0.1.0
 * @category models
 */
export interface Client {
  /**
   * Makes the agent send a message, and waits for the receipt. The request is stored in the cluster's database first.
   * Then the agent's runner executes it, or another runner if that one is killed. Calls with the same `id` and the same
   * content make one message and return one receipt, from any process. A failed call may be repeated.
   */
  readonly send: (
    input: SendInput,
    options?: CallOptions
  ) => Effect.Effect<Message.MessageReceipt, AgentClusterError | Message.SendError, Sharding>
  /** The present runner of the agent. It is not stored, and may change at any moment. */
  readonly where: (options?: CallOptions) => Effect.Effect<Runner, AgentClusterError | InvalidInput, Sharding>
}

/** Maximum bytes of a payload. The database stores it in base64 until it is pruned. */
const MAX_PAYLOAD = 256 * 1024

const MAX_ID = 1024

/** Interrupts after which the stored answer of a key is assumed to be an interrupt. */
const MAX_INTERRUPTS = 3

const PAUSE = 200

const DEFAULT_TIMEOUT = "2 minutes"

const invalid = (field: string, rule: string, size?: number) => new InvalidInput({ field, rule, size })

/** Checks the address of an agent's wallet, which identifies the agent. */
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

/** The request, with the same checks as the agent's. */
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
    const named = [recipient, type, Hex.encode(id), `${createdAt}`, seal, sealTo, Hex.encode(Hash.sha256(payload))]
    const content = Hex.encode(Hash.sha256(Utf8.encode(JSON.stringify(named))))
    return { content, fields: { recipient, payload, type, id, createdAt, seal, sealTo } }
  })

type Trouble = AlreadyProcessingMessage | MailboxFull | PersistenceError

const TROUBLES: ReadonlyArray<string> = ["AlreadyProcessingMessage", "MailboxFull", "PersistenceError"]

const isTrouble = <E>(error: E | Trouble): error is Trouble =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" && TROUBLES.includes(error._tag)

/**
 * Asks again until an answer comes: departing runners, full mailboxes and an unavailable database are temporary. If the
 * stored answer of a key is an interrupt or a defect, `renew` makes a new key.
 */
const persistently = <A, E, R>(
  timeout: number,
  call: Effect.Effect<A, E | Trouble, R>,
  renew: () => void = () => {}
): Effect.Effect<A, AgentClusterError | E, R> =>
  Effect.suspend(() => {
    let storage: AgentClusterError | undefined
    let interrupts = 0
    let defects = 0
    const again: Effect.Effect<A, AgentClusterError | E, R> = Effect.flatMap(Effect.exit(call), (exit) => {
      if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
      if (Cause.isInterruptedOnly(exit.cause)) {
        // Tries the same key first, because its answer may be stored by now.
        if (++interrupts % MAX_INTERRUPTS === 0) renew()
        return Effect.delay(again, PAUSE)
      }
      const failed = Cause.failureOrCause(exit.cause)
      if (Either.isRight(failed)) {
        if (++defects > 1) {
          return Effect.fail(new AgentClusterError({ reason: "Defect", cause: Cause.squash(failed.right) }))
        }
        renew()
        return Effect.delay(again, PAUSE)
      }
      const error = failed.left
      if (!isTrouble(error)) return Effect.fail(error)
      if (error._tag === "PersistenceError") storage = new AgentClusterError({ reason: "Storage", cause: error.cause })
      return Effect.delay(again, PAUSE)
    })
    const onTimeout = () =>
      storage ?? new AgentClusterError({ reason: "Timeout", detail: `No answer came within ${timeout} milliseconds` })
    return TimeLimit.within(timeout, onTimeout)(again)
  })

const send = (agent: Address, input: SendInput, options: CallOptions | undefined) =>
  Effect.gen(function* () {
    yield* checkAgent(agent)
    const timeout = yield* Check.millis("timeout", options?.timeout ?? DEFAULT_TIMEOUT)
    const { content, fields } = yield* prepare(input)
    const clientOf = yield* AgentEntity.client
    const ask = Random.unsafeHex(16)
    let key = content
    let keys = 0
    const renew = () => {
      key = `${content}/${ask}/${++keys}`
    }
    const receipt: Effect.Effect<typeof Receipt.MessageReceipt.Type, AgentClusterError | Message.SendError | Trouble> =
      Effect.suspend(() => clientOf(agent).Send({ ...fields, key, ask })).pipe(
        Effect.catchAll((error): typeof receipt => {
          if (!("ask" in error)) return Effect.fail(error)
          if (error.ask === ask) return Effect.fail(error.error)
          renew()
          return receipt
        })
      )
    const { address, fee, payloadHash, signature, slot } = yield* persistently(timeout, receipt, renew)
    return new MessageReceipt(signature, slot, fee, address, payloadHash)
  }).pipe(traced("AgentCluster.send", { "pod.wallet": agent }))

const where = (agent: Address, options: CallOptions | undefined) =>
  Effect.gen(function* () {
    yield* checkAgent(agent)
    const timeout = yield* Check.millis("timeout", options?.timeout ?? DEFAULT_TIMEOUT)
    const clientOf = yield* AgentEntity.client
    return yield* persistently<Runner, never, never>(timeout, clientOf(agent).Where())
  }).pipe(traced("AgentCluster.where", { "pod.wallet": agent }))

/**
 * The agent with this wallet. A method does nothing before its Effect runs. There, an invalid address fails with
 * `InvalidInput`.
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
export const client = (agent: Address): Client => ({
  send: (input, options) => send(agent, input, options),
  where: (options) => where(agent, options)
})
