/**
 * Protocol events, derived from the instructions of transactions that succeeded.
 *
 * The source is the instructions: outer ones and calls by other programs, with accounts from lookup tables. Logs can be
 * cut, and many instructions log no event, so a log adds only the program's own `timestamp`. A failed transaction has
 * no events, because the runtime rolled back its effects. `Event` has the events that the program logs.
 *
 * Agents choose the text of names, URIs and contents: make it safe by `SafeText` before you show it.
 *
 * @since 0.1.0
 */
import type { Address, Signature, Slot } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"
import * as Signatures from "../solana/Signature.js"
import * as Wire from "../solana/Wire.js"
import * as Event from "./Event.js"
import * as Data from "./instruction/data.js"
import * as Logs from "./Logs.js"
import { PROGRAM_ID } from "./Program.js"
import { derive } from "./protocolEvent/derive.js"
import { type Executed, executed, type InnerInstruction } from "./protocolEvent/executed.js"
import * as Models from "./protocolEvent/models.js"

export {
  AgentRegistered,
  AgentUpdated,
  ChannelCreated,
  ChannelJoined,
  ChannelLeft,
  ChannelUpdated,
  CompressedBroadcast,
  CompressedJoined,
  CompressedSynced,
  EscrowDeposited,
  EscrowWithdrawn,
  Invited,
  MessageBroadcast,
  MessageSent,
  MessageStatusChanged,
  Unknown
} from "./protocolEvent/models.js"

/**
 * Any event. JSON: 64-bit integers as decimal strings, bytes as base64, an absent option as null.
 *
 * @since 0.1.0
 * @category models
 */
export const ProtocolEvent = Schema.Union(
  Models.AgentRegistered,
  Models.AgentUpdated,
  Models.MessageSent,
  Models.MessageStatusChanged,
  Models.ChannelCreated,
  Models.ChannelUpdated,
  Models.ChannelJoined,
  Models.ChannelLeft,
  Models.MessageBroadcast,
  Models.Invited,
  Models.EscrowDeposited,
  Models.EscrowWithdrawn,
  Models.CompressedBroadcast,
  Models.CompressedJoined,
  Models.CompressedSynced,
  Models.Unknown
)

/**
 * A value of {@link ProtocolEvent}.
 *
 * @since 0.1.0
 * @category models
 */
export type ProtocolEvent = typeof ProtocolEvent.Type

/**
 * The kinds of events.
 *
 * @since 0.1.0
 * @category models
 */
export type Kind = ProtocolEvent["_tag"]

/**
 * All kinds of events.
 *
 * @since 0.1.0
 * @category constants
 */
export const kinds: ReadonlyArray<Kind> = ProtocolEvent.members.map(({ _tag }) => _tag)

/**
 * A landed transaction, as `RpcPool.getTransaction` returns it. The transactions of a block need its slot and time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transaction {
  /** Signatures, then message. */
  readonly wire: Uint8Array
  readonly slot: Slot
  /** Unix seconds. */
  readonly blockTime: Option.Option<bigint>
  /** None if the node does not keep it. */
  readonly meta: Option.Option<{
    /** Agave's transaction error; `null` if the transaction succeeded. */
    readonly err: unknown
    readonly logs: ReadonlyArray<string>
    readonly innerInstructions: ReadonlyArray<{
      readonly index: number
      readonly instructions: ReadonlyArray<InnerInstruction>
    }>
    readonly loadedAddresses: { readonly writable: ReadonlyArray<Address>; readonly readonly: ReadonlyArray<Address> }
  }>
}

/**
 * The node's reply does not determine the effects of the transaction. Ask again, or ask another node.
 *
 * - `Meta`: the node keeps no outcome for the transaction.
 * - `Signature`: the reply holds another transaction.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnreadableTransaction extends printable(
  Schema.TaggedError<UnreadableTransaction>("@pod-protocol/effect/UnreadableTransaction")("UnreadableTransaction", {
    reason: Schema.Literal("Meta", "Signature"),
    signature: SafeText.Schema()
  })
) {
  /** Always true: another node may keep the transaction. */
  readonly isRetryable = true

  override get message(): string {
    return this.reason === "Meta"
      ? `The node keeps no outcome for transaction ${this.signature}. Ask another node.`
      : `The node answered for transaction ${this.signature} with another one. Ask another node.`
  }
}

type Place = Pick<Models.Unknown, "signature" | "slot" | "blockTime">

const NO_DATA = new Uint8Array(0)

/**
 * The event for a whole transaction whose bytes cannot be read, for example because of a newer message version.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unreadable = ({ blockTime, signature, slot }: Place, detail: string): Models.Unknown =>
  new Models.Unknown(
    {
      signature,
      slot,
      blockTime,
      path: "",
      accounts: [],
      reason: "Wire",
      detail: SafeText.make(detail),
      data: NO_DATA
    },
    { disableValidation: true }
  )

const unknown = (
  place: Place,
  { accounts = [], data, path }: Executed,
  reason: Models.Unknown["reason"],
  detail: string
): Models.Unknown =>
  new Models.Unknown(
    { ...place, path, accounts, reason, detail: SafeText.make(detail), data: Uint8Array.from(data) },
    { disableValidation: true }
  )

/** The runtime's line where a log is cut. Later lines may be missing, however short they are. */
const CUT = "Log truncated"

/** The times that the program logged, by the position of an instruction among those of the program. */
const timestamps = (
  logs: ReadonlyArray<string>,
  programId: Address,
  count: number
): ((position: number, tag: string) => Option.Option<bigint>) => {
  const cut = logs.indexOf(CUT)
  const { frames } = Logs.parse(cut === -1 ? logs : logs.slice(0, cut))
  const own = frames.filter(({ program }) => program === programId)
  // If the log and the node's list of calls differ, no call gets a time.
  if (cut === -1 ? own.length !== count : own.length > count) return Option.none
  return (position, tag) => {
    const frame = own[position]
    if (frame === undefined || frame.logs[0] !== `Instruction: ${tag}`) return Option.none()
    for (const data of Event.ofFrame(frame)) {
      if (Either.isRight(data) && "timestamp" in data.right) return Option.some(data.right.timestamp)
    }
    return Option.none()
  }
}

/**
 * Derives the events of a landed transaction in the order of execution. A failed transaction has none. An instruction
 * that cannot be read is {@link Unknown}, and so is a transaction whose bytes do not decode. Fails only if the reply
 * does not determine the effects.
 *
 * @example
 * import * as ProtocolEvent from "@pod-protocol/effect/protocol/ProtocolEvent"
 * import * as RpcPool from "@pod-protocol/effect/services/RpcPool"
 * import type { Signature } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * export const eventsOf = (signature: Signature) =>
 *   Effect.gen(function* () {
 *     const pool = yield* RpcPool.RpcPool
 *     const transaction = yield* Effect.flatten(pool.getTransaction(signature))
 *     return yield* ProtocolEvent.fromTransaction(signature, transaction)
 *   })
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromTransaction = (
  signature: Signature,
  { blockTime, meta, slot, wire }: Transaction,
  programId: Address = PROGRAM_ID
): Either.Either<ReadonlyArray<ProtocolEvent>, UnreadableTransaction> => {
  if (Option.isNone(meta)) return Either.left(new UnreadableTransaction({ reason: "Meta", signature }))
  const { err, logs } = meta.value
  const decoded = Wire.decode(wire)
  if (Either.isRight(decoded)) {
    const [first] = decoded.right.signatures
    if (first === undefined || Signatures.fromBytes(first) !== signature) {
      return Either.left(new UnreadableTransaction({ reason: "Signature", signature }))
    }
  }
  if (err !== null && err !== undefined) return Either.right([])
  const place = { signature, slot, blockTime }
  if (Either.isLeft(decoded)) return Either.right([unreadable(place, decoded.left.message)])

  const ran = executed(decoded.right.message, meta.value).filter(
    ({ program }) => program === programId || program === undefined
  )
  let dated: ReturnType<typeof timestamps> | undefined
  const count = ran.reduce((sum, { program }) => (program === programId ? sum + 1 : sum), 0)
  let position = 0
  const events: Array<ProtocolEvent> = []
  for (const instruction of ran) {
    const { accounts, data, path, program } = instruction
    if (program === undefined) {
      events.push(unknown(place, instruction, "Index", "the index of its program names no account"))
      continue
    }
    const own = position++
    if (accounts === undefined) {
      events.push(unknown(place, instruction, "Index", "one of its account indices names no account"))
      continue
    }
    const read = Data.decode(data)
    if (Either.isLeft(read)) {
      events.push(unknown(place, instruction, read.left.reason, read.left.message))
      continue
    }
    const { _tag } = read.right
    const timestamp = () => (dated ??= timestamps(logs, programId, count))(own, _tag)
    const event = derive(read.right, { ...place, path, accounts, programId, timestamp })
    if (event === undefined) events.push(unknown(place, instruction, "Accounts", `${_tag} needs more accounts`))
    else if (Option.isSome(event)) events.push(event.value)
  }
  return Either.right(events)
}
