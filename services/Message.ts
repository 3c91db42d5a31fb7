/**
 * Direct messages between agents. The chain stores the sender, the recipient, the time and the SHA-256 of the payload.
 * The {@link PayloadStore} stores the payload itself.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { InvalidInput } from "../src/InvalidInput.js"
import type { DirectMessage } from "../src/protocol/Account.js"
import * as AccountType from "../src/protocol/AccountType.js"
import * as Envelope from "../src/protocol/Envelope.js"
import * as Instruction from "../src/protocol/Instruction.js"
import { canBecome, type MessageStatus } from "../src/protocol/MessageType.js"
import * as Pda from "../src/protocol/Pda.js"
import * as Sealed from "../src/protocol/Sealed.js"
import * as Clock from "./internal/clock.js"
import * as Lanes from "./internal/forEachLazily.js"
import { extend, onInterruption, withService } from "./internal/hot.js"
import * as Measured from "./internal/measured.js"
import * as Receipts from "./internal/receipts.js"
import * as TestLayer from "./internal/testLayer.js"
import { annotate, attribute, spanned, traced, tracedStream } from "./internal/traced.js"
import * as Abandoned from "./message/abandoned.js"
import type { MailboxOptions, PayloadOptions, SendAllOptions, SendInput } from "./message/Input.js"
import * as Mailbox from "./message/mailbox.js"
import type { PayloadListing } from "./message/mailbox.js"
import * as Outgoing from "./message/outgoing.js"
import * as Payloads from "./message/payloads.js"
import type { PayloadError } from "./message/payloads.js"
import * as Spans from "./message/spans.js"
import * as Metrics from "./Metrics.js"
import { PayloadStore, type PayloadStoreError } from "./PayloadStore.js"
import * as Accounts from "./program/accounts.js"
import { agentAddress } from "./program/agentAddress.js"
import * as Given from "./program/givenAddresses.js"
import * as Submit from "./program/submit.js"
import type { AccountReceipt, Listing, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcPool } from "./RpcPool.js"
import type { SealedError } from "./Sealing.js"
import type { SignedTransaction } from "./SignedTransaction.js"
import type { PackedItem, SendOptions, Transactions } from "./Transactions.js"
import { Wallet } from "./Wallet.js"

export type * from "./message/Input.js"
export type { MessageWithPayload, PayloadListing } from "./message/mailbox.js"
export type { PayloadError } from "./message/payloads.js"

/**
 * The receipt of a sent message.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageReceipt extends AccountReceipt {
  /** SHA-256 (32 bytes) of the stored bytes: the envelope, or the bare bytes with `raw`. */
  readonly payloadHash: Uint8Array
}

/**
 * The errors of sending a message.
 *
 * @since 0.1.0
 * @category errors
 */
export type SendError = PayloadStoreError | SealedError | WriteError

/**
 * The store has no payload for a message: the sender has not stored it yet or has stored it elsewhere, or it was
 * removed.
 *
 * @since 0.1.0
 * @category errors
 */
export const PayloadNotFound = Payloads.PayloadNotFound

/**
 * See {@link PayloadNotFound}.
 *
 * @since 0.1.0
 * @category errors
 */
export type PayloadNotFound = Payloads.PayloadNotFound

/**
 * The operations on direct messages. Each write accepts the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Stores the payload, then records its hash on the chain. If the send fails or is interrupted, the payload is removed
   * once the transaction can no longer land. That is at once, or some minutes later while the layer exists. The payload
   * stays if that cannot be proven (always with a durable nonce). It also stays if other sends may share it (with an
   * `id` or `raw`).
   * Program refusals: `DuplicateMessage`, `AccountNotInitialized` (the wallet is not a registered agent),
   * `InsufficientFunds`.
   */
  readonly send: (input: SendInput, options?: SendOptions) => Effect.Effect<MessageReceipt, SendError, Wallet>
  /**
   * Sends many messages in as few transactions as possible (about eight messages in each), several transactions at a
   * time. Returns one result per input, in input order: a failure does not hide the other receipts. Messages of one
   * transaction share its signature; the `fee` of each receipt is the fee of the whole transaction. The `timeout`
   * applies to each payload's storing, and to each transaction from its start. Payloads of failed messages are removed
   * as in `send`.
   */
  readonly sendAll: (
    inputs: Iterable<SendInput>,
    options?: SendAllOptions
  ) => Effect.Effect<ReadonlyArray<Either.Either<MessageReceipt, SendError>>, never, Wallet>
  /** The message at an address. */
  readonly get: (address: Address) => Effect.Effect<ProgramAccount<DirectMessage>, ReadError>
  /**
   * Reads the payload from the payload store and verifies it against the hash on the chain. It opens a sealed payload
   * with the `Wallet` of the context and decodes the envelope; `raw` skips these two steps. Given an address, it reads
   * the message from the chain first. The bytes may be a view: do not mutate them.
   */
  readonly payload: (
    message: Address | ProgramAccount<DirectMessage>,
    options?: PayloadOptions
  ) => Effect.Effect<Uint8Array, PayloadError>
  /** Reads the payload as a text. Invalid UTF-8 is `EnvelopeDecodeError` with reason `Text`. */
  readonly text: (
    message: Address | ProgramAccount<DirectMessage>,
    options?: PayloadOptions
  ) => Effect.Effect<string, PayloadError>
  /** Reads the payload as JSON and decodes it with the schema. Invalid JSON or a mismatch is `ParseError`. */
  readonly json: <A, I, R>(
    message: Address | ProgramAccount<DirectMessage>,
    schema: Schema.Schema<A, I, R>,
    options?: PayloadOptions
  ) => Effect.Effect<A, ParseResult.ParseError | PayloadError, R>
  /**
   * Emits the messages to a wallet, oldest first. With `payloads`, each message has its payload or the error of reading
   * it.
   */
  readonly inbox: PayloadListing & Listing<DirectMessage, MailboxOptions>
  /** Emits the messages from an agent, given its wallet or agent address, oldest first; otherwise as `inbox`. */
  readonly outbox: PayloadListing & Listing<DirectMessage, MailboxOptions>
  /**
   * Pending → Delivered, by the recipient. Given an account instead of an address, it checks the transition before it
   * sends. Program refusals: `Unauthorized`, `MessageExpired` (7 days after it was sent),
   * `InvalidMessageStatusTransition` (also on a second run).
   */
  readonly markDelivered: Mark
  /** Delivered → Read, by the recipient; otherwise as `markDelivered`. */
  readonly markRead: Mark
  /**
   * Pending or Delivered → Failed, by the recipient, or by the sender if the program allows it; otherwise as
   * `markDelivered`.
   */
  readonly markFailed: Mark
}

/**
 * Sends, reads and marks direct messages.
 *
 * @example
 * ```ts
 * import { Message, Wallet } from "@pod-protocol/effect"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const greet = (recipient: Address) =>
 *   Effect.flatMap(Message.Message, (messages) => messages.send({ recipient, payload: "hello" }))
 *
 * export const readAll = Effect.gen(function* () {
 *   const messages = yield* Message.Message
 *   const wallet = yield* Wallet.Wallet
 *   yield* messages.inbox(wallet.address).pipe(
 *     Stream.filter(({ account }) => account.status === "Pending"),
 *     Stream.runForEach((message) =>
 *       Effect.gen(function* () {
 *         yield* Effect.log(yield* messages.text(message))
 *         yield* messages.markDelivered(message)
 *       })
 *     )
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Message extends Context.Tag("@pod-protocol/effect/Message")<Message, Service>() {}

/**
 * Changes the status of one message.
 *
 * @since 0.1.0
 * @category models
 */
export type Mark = (
  message: Address | ProgramAccount<DirectMessage>,
  options?: SendOptions
) => Effect.Effect<AccountReceipt, WriteError, Wallet>

/** Offsets of the addresses in the account's data. */
const SENDER = 8
const RECIPIENT = 40

/** Whether the message is given as an account, and not as an address. */
const isAccount = (message: Address | ProgramAccount<DirectMessage>): message is ProgramAccount<DirectMessage> =>
  typeof message === "object" && message !== null

const CONCURRENCY = 16

const sent = Metrics.messagesSentOf("direct")

type Needs = PayloadStore | RpcPool | Scope.Scope | Transactions

/**
 * Builds the service from the `RpcPool`, `Transactions` and `PayloadStore` in context, for the current `ProgramId`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, Needs> = Effect.gen(function* () {
  const accounts = yield* Accounts.make
  const submit = yield* Submit.make
  const payloads = yield* PayloadStore
  const abandoned = yield* Abandoned.make
  const { abandon } = abandoned
  const { programId } = accounts
  const store = yield* Outgoing.make(programId, abandoned)

  const send: Service["send"] = (input, options) =>
    withService(Wallet, ({ address: wallet }, fiber) => {
      const agent = Pda.agent(wallet, programId).address
      return spanned(fiber, "Message.send", Spans.attributesOf(agent, input), () =>
        store(Clock.wall(fiber), wallet, agent, input, options, ({ address, instruction, stored }, timeout) => {
          const settle = onInterruption(fiber, () => abandon(stored, undefined))
          attribute(fiber, "pod.message", address)
          return submit.createAs(
            address,
            [instruction],
            extend(options ?? {}, {
              timeout,
              resend: Outgoing.isResent(input, options),
              onSigned: (signed: SignedTransaction) => {
                stored.signed.push(signed)
                options?.onSigned?.(signed, [address])
              }
            }),
            ({ fee, signature, slot }): MessageReceipt => {
              settle()
              Measured.update(fiber, sent, 1)
              return new Receipts.MessageReceipt(signature, slot, fee, address, stored.hash)
            },
            (error) => {
              settle()
              abandon(stored, error)
            }
          )
        })
      )
    })

  /** A call of `sendAll`. */
  interface Sending {
    readonly wallet: Address
    readonly agent: Address
    readonly inputs: ReadonlyArray<SendInput>
    readonly options: Omit<SendAllOptions, "concurrency" | "signers">
    readonly concurrency: number
    readonly signers: SendAllOptions["signers"]
    readonly spans: Spans.PackedSpans
    /** Payloads whose message has no outcome yet. */
    readonly open: Map<Address, Abandoned.Stored>
  }

  const outcomesOf = Effect.fnUntraced(function* (sending: Sending) {
    const { agent, concurrency, inputs, open, options, signers, spans, wallet } = sending
    const now = yield* Clock.wallMillis
    const onSigned = (signed: SignedTransaction, creates: ReadonlyArray<Address>) => {
      for (const address of creates) open.get(address)?.signed.push(signed)
      options.onSigned?.(signed, creates)
    }
    const prepared = yield* Lanes.forEach(inputs.entries(), concurrency, ([place, input]) =>
      spans.prepare(
        place,
        input,
        Effect.either(
          store(now, wallet, agent, input, options, (recorded) => {
            open.set(recorded.address, recorded.stored)
            return Effect.succeed(recorded)
          })
        )
      )
    )
    const items: Array<PackedItem & { readonly creates: Address; readonly spans: Array<Tracer.AnySpan> }> = []
    const named = new Map<Address, number>()
    /** Two inputs with the same `id` and address become one item. */
    const itemOf = (input: SendInput, { address, instruction }: Outgoing.Outgoing, place: number): number => {
      const span = spans.at(place)
      const known = input.id === undefined ? undefined : named.get(address)
      if (known !== undefined) {
        if (span !== undefined) items[known]?.spans.push(span)
        return known
      }
      if (input.id !== undefined) named.set(address, items.length)
      const resend = input.id !== undefined && options.resend !== false
      const item = { instructions: [instruction], creates: address, signers, resend, spans: Arr.fromNullable(span) }
      return items.push(item) - 1
    }
    const places = Arr.zipWith(inputs.entries(), prepared, ([place, input], recorded) =>
      Either.map(recorded, (recorded) => ({
        item: itemOf(input, recorded, place),
        payloadHash: recorded.stored.hash
      }))
    )
    const outcomes = yield* Effect.match(submit.packed(items, extend(options, { concurrency, onSigned })), {
      onFailure: (error) => items.map(() => Either.left(error)),
      onSuccess: (outcomes) => outcomes
    })
    for (const [index, outcome] of outcomes.entries()) {
      const address = items[index]?.creates
      const stored = address === undefined ? undefined : open.get(address)
      if (address === undefined || stored === undefined) continue
      open.delete(address)
      if (Either.isLeft(outcome)) abandon(stored, outcome.left)
    }
    yield* Metric.incrementBy(sent, Arr.getRights(outcomes).length)
    const results = places.flatMap((place): ReadonlyArray<Either.Either<MessageReceipt, SendError>> => {
      if (Either.isLeft(place)) return [Either.left(place.left)]
      const { item, payloadHash } = place.right
      return outcomes
        .slice(item, item + 1)
        .map(
          Either.map(
            ({ address, fee, signature, slot }) =>
              new Receipts.MessageReceipt(signature, slot, fee, address, payloadHash)
          )
        )
    })
    for (const [place, result] of results.entries()) spans.end(place, result)
    return results
  })

  const sendingAll = Effect.fnUntraced(function* (
    call: Pick<Sending, "concurrency" | "inputs" | "options" | "signers">
  ) {
    const { address: wallet } = yield* Wallet
    const agent = Pda.agent(wallet, programId).address
    yield* annotate("pod.agent", agent)
    const open = new Map<Address, Abandoned.Stored>()
    const spans = yield* Spans.packed(agent)
    return yield* Effect.onError(outcomesOf({ ...call, wallet, agent, spans, open }), () =>
      Effect.sync(() => {
        for (const stored of open.values()) abandon(stored, undefined)
        spans.interrupt()
      })
    )
  }, traced("Message.sendAll"))

  const sendAll: Service["sendAll"] = (inputs, { concurrency = CONCURRENCY, signers, ...options } = {}) =>
    Effect.suspend(() => sendingAll({ inputs: Arr.fromIterable(inputs), options, concurrency, signers }))

  const get: Service["get"] = (address) =>
    Given.effect({ address }, () => accounts.fetch(AccountType.directMessage, address)).pipe(
      traced("Message.get", { "pod.message": address })
    )

  const list = (name: string, offset: number, address: Address, { follow }: MailboxOptions) =>
    accounts
      .stream(
        { type: AccountType.directMessage, where: [[offset, address]], createdAt: ({ createdAt }) => createdAt },
        follow
      )
      .pipe(tracedStream(name, { "pod.address": address }))

  const mark =
    (status: MessageStatus): Mark =>
    (message, options) =>
      Effect.gen(function* () {
        if (isAccount(message) && !canBecome(message.account.status, status)) {
          return yield* new InvalidInput({
            field: "message",
            rule: `${message.account.status} cannot become ${status}`
          })
        }
        const address = isAccount(message) ? message.address : message
        yield* Given.check(isAccount(message) ? { "message.address": address } : { message: address })
        yield* Effect.annotateCurrentSpan("pod.message", address)
        const { address: wallet } = yield* Wallet
        const instruction = yield* Instruction.updateMessageStatus({ wallet, message: address, status, programId })
        return yield* submit.account(address, [instruction], options)
      }).pipe(traced(`Message.mark${status}`))

  const payload: Service["payload"] = (message, { raw = false, wait } = {}) =>
    Effect.gen(function* () {
      if (!isAccount(message)) yield* Given.check({ message })
      const { account, address } = isAccount(message) ? message : yield* get(message)
      yield* Effect.annotateCurrentSpan("pod.message", address)
      const bytes = yield* Payloads.read(payloads, { account, address }, wait)
      if (raw) return bytes
      const { recipient, sender, type } = account
      const binding = { programId, sender, recipient, type }
      const envelope = Sealed.isSealed(bytes) ? yield* Payloads.open(bytes, binding) : bytes
      return (yield* Envelope.decode(envelope)).payload
    }).pipe(traced("Message.payload"))

  return Message.of({
    send,
    sendAll,
    get,
    payload,
    text: (message, options) => Effect.flatMap(payload(message, options), Envelope.text),
    json: (message, schema, options) =>
      Effect.flatMap(Effect.flatMap(payload(message, options), Envelope.text), Schema.decode(Schema.parseJson(schema))),
    inbox: Mailbox.make(payload, (wallet, options) =>
      Given.stream({ wallet }, () => list("Message.inbox", RECIPIENT, wallet, options))
    ),
    outbox: Mailbox.make(payload, (walletOrAgent, options) =>
      Given.stream({ walletOrAgent }, () =>
        list("Message.outbox", SENDER, agentAddress(walletOrAgent, programId), options)
      )
    ),
    markDelivered: mark("Delivered"),
    markRead: mark("Read"),
    markFailed: mark("Failed")
  })
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Message, never, PayloadStore | RpcPool | Transactions> = Layer.scoped(Message, make)

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Message> => TestLayer.layer(Message, stubs)
