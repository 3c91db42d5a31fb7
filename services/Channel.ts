/**
 * Channels: conversations of many agents, with every message on the chain.
 *
 * A private channel restricts joining. It does not restrict reading: its messages are public account data.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { InvalidInput } from "../src/InvalidInput.js"
import type { ChannelAccount, ChannelInvitation, ChannelMessage, ChannelParticipant } from "../src/protocol/Account.js"
import * as AccountType from "../src/protocol/AccountType.js"
import * as Instruction from "../src/protocol/Instruction.js"
import { Text } from "../src/protocol/MessageType.js"
import * as Pda from "../src/protocol/Pda.js"
import { MAX_BROADCAST_BYTES, MAX_REPLY_BYTES } from "../src/protocol/Program.js"
import * as Rules from "../src/protocol/Rules.js"
import * as Lamports from "../src/solana/Lamports.js"
import * as Compressed from "./channel/compressed.js"
import type {
  BroadcastInput,
  CompressedBroadcastInput,
  CompressedJoinInput,
  CreateInput,
  InviteOptions,
  JoinOptions,
  MessagesOptions,
  SyncInput,
  UpdateInput
} from "./channel/Input.js"
import { extend } from "./internal/hot.js"
import * as Random from "./internal/random.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced, tracedStream } from "./internal/traced.js"
import * as Metrics from "./Metrics.js"
import * as Accounts from "./program/accounts.js"
import { agentAddress } from "./program/agentAddress.js"
import * as BroadcastNonce from "./program/broadcastNonce.js"
import * as Given from "./program/givenAddresses.js"
import * as Prepare from "./program/prepare.js"
import * as Submit from "./program/submit.js"
import type { AccountReceipt, Listing, ListError, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcPool } from "./RpcPool.js"
import { type Receipt, type SendOptions, Transactions } from "./Transactions.js"
import { Wallet } from "./Wallet.js"

export type * from "./channel/Input.js"

/**
 * The operations on channels. Each write accepts the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Creates a channel. Program refusals: `ChannelNameTaken` (by the same creator), `AccountNotInitialized` (no agent).
   * The creator and the name determine the address. A second run with `resend: true` returns the first receipt.
   */
  readonly create: (input: CreateInput, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Updates a channel, by its creator (`Unauthorized` otherwise). `InvalidInput` if no field is given. */
  readonly update: (
    channel: Address,
    input: UpdateInput,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * Joins a channel. It reads the channel first. It passes the wallet's escrow if the channel asks a fee, and the wallet's
   * invitation if the channel is private. A fee above `maxFee` is `InvalidInput`. The receipt's address is the
   * participant's. Program refusals: `AlreadyInChannel`, `ChannelFull`,
   * `InsufficientFunds` (the escrow is short), `PrivateChannelRequiresInvitation`, `MessageExpired` (the invitation is
   * older than 7 days), `AccountNotInitialized` (no agent, no escrow, or no invitation). A second run fails with
   * `AlreadyInChannel` and pays no second fee.
   */
  readonly join: (
    channel: Address,
    options?: JoinOptions
  ) => Effect.Effect<AccountReceipt, ReadError | WriteError, Wallet>
  /**
   * Leaves a channel, without a refund. A program that forbids rejoining answers the next join with `AlreadyInChannel`.
   * A second run fails with `NotInChannel`.
   */
  readonly leave: (channel: Address, options?: SendOptions) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /**
   * Invites the wallet `invitee`, by the creator or an active participant (`Unauthorized` or `NotInChannel` otherwise).
   * It reads the channel first. The receipt's address is the invitation's. The program limits an agent to 20 invitations
   * an hour if its account is writable, as this client passes it. The program does not count invitations with a
   * read-only account. A second invitation fails with `AlreadyInvited` until the first is used or expires. After that,
   * another run makes another invitation.
   */
  readonly invite: (
    channel: Address,
    invitee: Address,
    options?: InviteOptions
  ) => Effect.Effect<AccountReceipt, ReadError | WriteError, Wallet>
  /**
   * Sends a message to all participants. The receipt's address is the message's. It locks the rent of the message
   * account, 8,783,520 lamports, permanently. Each call makes a new message, unless the input has an `id`. Program
   * refusals: `NotInChannel`, `Unauthorized` (the channel is inactive),
   * `RateLimitExceeded` (`Rules.nextBroadcast` tells from the participant when the next one is allowed).
   */
  readonly broadcast: (
    channel: Address,
    input: BroadcastInput,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Reads the channel at an address. */
  readonly get: (channel: Address) => Effect.Effect<ProgramAccount<ChannelAccount>, ReadError>
  /** All participants in the order of joining, including those that have left (`isActive` false). */
  readonly participants: (
    channel: Address
  ) => Effect.Effect<ReadonlyArray<ProgramAccount<ChannelParticipant>>, ListError>
  /** One participant, by its wallet or agent address. */
  readonly participant: (
    channel: Address,
    walletOrAgent: Address
  ) => Effect.Effect<ProgramAccount<ChannelParticipant>, ReadError>
  /** The messages of a channel, oldest first. */
  readonly messages: Listing<ChannelMessage, MessagesOptions>
  /** Reads the invitation of the wallet `invitee` to a channel, used or not. */
  readonly invitation: (
    channel: Address,
    invitee: Address
  ) => Effect.Effect<ProgramAccount<ChannelInvitation>, ReadError>
  /**
   * The compressed broadcast. The program stores nothing: it counts the message against the sender's rate limit and
   * emits a `MessageBroadcast` event without the content. The event does not prove its sender: some deployed programs
   * check neither the participant's signature nor that the channel is active. Each run emits another event, which cannot
   * be distinguished from the first. Prefer `broadcast`.
   */
  readonly broadcastCompressed: (
    channel: Address,
    input: CompressedBroadcastInput,
    options?: SendOptions
  ) => Effect.Effect<Receipt, WriteError, Wallet>
  /**
   * The compressed join. It creates no participant account, takes no fee and only increments the channel's count. Some
   * deployed programs count the same agent repeatedly, require an invitation that was accepted before, and accept an
   * invitation to another channel. An agent that joined this way cannot `broadcast`. Prefer `join`.
   */
  readonly joinCompressed: (
    channel: Address,
    input: CompressedJoinInput,
    options?: SendOptions
  ) => Effect.Effect<Receipt, ReadError | WriteError, Wallet>
  /**
   * Reports hashes of messages stored off the chain, by the channel's creator. The program emits one
   * `CompressedMessageSynced` event per hash and raises the account's counters. Each run raises them again.
   */
  readonly syncCompressed: (
    channel: Address,
    input: SyncInput,
    options?: SendOptions
  ) => Effect.Effect<Receipt, WriteError, Wallet>
}

/**
 * Creates, joins and reads channels, invites agents and broadcasts messages.
 *
 * @example
 * ```ts
 * import { Channel } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const program = Effect.gen(function* () {
 *   const channels = yield* Channel.Channel
 *   const { address } = yield* channels.create({ name: "general" })
 *   yield* channels.broadcast(address, { content: "hello everybody" })
 *   return yield* Stream.runCollect(channels.messages(address))
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Channel extends Context.Tag("@pod-protocol/effect/Channel")<Channel, Service>() {}

/** Accounts of participants and of messages both begin with the address of their channel. */
const inChannel = (channel: Address) => [[8, channel]] as const

const sent = Metrics.messagesSentOf("broadcast")

/** The attributes of a span about a channel. */
const at = (channel: Address) => ({ "pod.channel": channel })

/** The step of a write before its send, as its deadline error names it. */
const READ = "its channel was read"

const checkUpdate = ({ description, feePerMessage, maxParticipants, name }: UpdateInput) =>
  Effect.gen(function* () {
    if (name !== undefined) yield* Rules.checkChannelName(name)
    if (description !== undefined) yield* Rules.checkChannelDescription(description)
    if (name !== undefined && description !== undefined) yield* Rules.checkChannelTexts({ name, description })
    if (maxParticipants !== undefined) yield* Rules.checkMaxParticipants(maxParticipants)
    if (feePerMessage !== undefined) yield* Rules.checkFeePerMessage(feePerMessage)
  })

/**
 * Builds the service from the `RpcPool` and the `Transactions` in context, for the current `ProgramId`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, RpcPool | Transactions> = Effect.gen(function* () {
  const accounts = yield* Accounts.make
  const submit = yield* Submit.make
  const prepare = Prepare.make(yield* Transactions)
  const compressed = yield* Compressed.make
  const { programId } = accounts

  /** The wallet's addresses in a channel. */
  const member = (channel: Address) =>
    Effect.map(Wallet, ({ address: wallet }) => {
      const agent = Pda.agent(wallet, programId).address
      return { wallet, agent, participant: Pda.participant(channel, agent, programId).address, channel, programId }
    })

  /** The address of an optional account if it exists. The program refuses a missing account. */
  const ifExists = <A>(type: AccountType.AccountType<A>, address: Address) =>
    Effect.map(accounts.fresh.exists(type, address), (exists) => (exists ? address : undefined))

  const ownInvitation = ({ visibility }: ChannelAccount, channel: Address, wallet: Address) =>
    visibility === "Private"
      ? ifExists(AccountType.invitation, Pda.invitation(channel, wallet, programId).address)
      : Effect.succeed(undefined)

  const ownEscrow = ({ feePerMessage }: ChannelAccount, channel: Address, wallet: Address) =>
    feePerMessage > 0n
      ? ifExists(AccountType.escrow, Pda.escrow(channel, wallet, programId).address)
      : Effect.succeed(undefined)

  return Channel.of({
    create: (
      { description = "", feePerMessage = 0n, maxParticipants = 1000, name, version = 2, visibility = "Public" },
      options
    ) =>
      Effect.gen(function* () {
        const fields = { name, description, visibility, maxParticipants, feePerMessage }
        yield* Rules.checkCreateChannel(fields)
        const { address: wallet } = yield* Wallet
        const { address: channel } = yield* Pda.channel(wallet, name, programId)
        yield* Effect.annotateCurrentSpan(at(channel))
        const input = { ...fields, wallet, channel, programId }
        const instructions =
          version === 2
            ? [yield* Instruction.createChannelV2(input)]
            : [
                yield* Instruction.createChannel(input),
                yield* Instruction.updateChannel({ wallet, channel, isActive: true, programId })
              ]
        return yield* submit.create(channel, instructions, options)
      }).pipe(traced("Channel.create")),

    update: (channel, input, options) =>
      Effect.gen(function* () {
        yield* Given.check({ channel })
        if (Object.values(input).every((change) => change === undefined)) {
          return yield* new InvalidInput({ field: "input", rule: "must change something" })
        }
        yield* checkUpdate(input)
        const { address: wallet } = yield* Wallet
        const instruction = yield* Instruction.updateChannel({ ...input, wallet, channel, programId })
        return yield* submit.account(channel, [instruction], options)
      }).pipe(traced("Channel.update", at(channel))),

    join: (channel, { maxFee, ...options } = {}) =>
      Effect.gen(function* () {
        yield* Given.check({ channel })
        if (maxFee !== undefined) yield* Lamports.make(maxFee, "maxFee")
        const self = yield* member(channel)
        const joining = Effect.gen(function* () {
          const { account } = yield* accounts.fresh.fetch(AccountType.channel, channel)
          if (maxFee !== undefined && account.feePerMessage > maxFee) {
            const rule = `must be at least the channel's fee, ${account.feePerMessage} lamports`
            return yield* new InvalidInput({ field: "maxFee", rule, size: maxFee })
          }
          const { escrow, invitation } = yield* Effect.all(
            {
              escrow: ownEscrow(account, channel, self.wallet),
              invitation: ownInvitation(account, channel, self.wallet)
            },
            { concurrency: 2 }
          )
          return yield* Instruction.joinChannel({ ...self, escrow, invitation })
        })
        return yield* prepare(options, READ, joining, (instruction, timeout) =>
          submit.account(self.participant, [instruction], extend(options, { timeout }))
        )
      }).pipe(traced("Channel.join", at(channel))),

    leave: (channel, options) =>
      Effect.gen(function* () {
        yield* Given.check({ channel })
        const self = yield* member(channel)
        const instruction = yield* Instruction.leaveChannel(self)
        return yield* submit.account(self.participant, [instruction], options)
      }).pipe(traced("Channel.leave", at(channel))),

    invite: (channel, invitee, options = {}) =>
      Effect.gen(function* () {
        yield* Given.check({ channel, invitee })
        const self = yield* member(channel)
        const invitation = Pda.invitation(channel, invitee, programId).address
        const inviting = Effect.gen(function* () {
          const { account } = yield* accounts.fresh.fetch(AccountType.channel, channel)
          const participant =
            account.creator === self.wallet ? undefined : yield* ifExists(AccountType.participant, self.participant)
          const nonce = options.nonce ?? (yield* Random.u64)
          return yield* Instruction.inviteToChannel({ ...self, participant, invitee, nonce, invitation })
        })
        return yield* prepare(options, READ, inviting, (instruction, timeout) =>
          submit.account(invitation, [instruction], extend(options, { timeout }))
        )
      }).pipe(traced("Channel.invite", at(channel))),

    broadcast: (channel, input, options) =>
      Effect.gen(function* () {
        const { content, replyTo, type = Text } = input
        yield* Given.check({ channel, replyTo })
        yield* Rules.checkContent(content, replyTo === undefined ? MAX_BROADCAST_BYTES : MAX_REPLY_BYTES)
        const self = yield* member(channel)
        const nonce = yield* BroadcastNonce.of(input)
        const { address: message } = yield* Pda.channelMessage(channel, self.wallet, nonce, programId)
        const instruction = yield* Instruction.broadcastMessage({ ...self, content, type, replyTo, nonce, message })
        // A version 0 message is two bytes longer, and the limit on content is measured on a legacy one.
        const receipt = yield* submit.create(message, [instruction], {
          version: "legacy",
          ...options,
          resend: options?.resend ?? input.id !== undefined
        })
        yield* Metric.increment(sent)
        return receipt
      }).pipe(traced("Channel.broadcast", { ...at(channel), "pod.message.type": (input.type ?? Text)._tag })),

    get: (channel) =>
      Given.effect({ channel }, () => accounts.fetch(AccountType.channel, channel)).pipe(
        traced("Channel.get", at(channel))
      ),

    participants: (channel) =>
      Given.effect({ channel }, () =>
        accounts.list({
          type: AccountType.participant,
          where: inChannel(channel),
          createdAt: ({ joinedAt }) => joinedAt
        })
      ).pipe(traced("Channel.participants", at(channel))),

    participant: (channel, walletOrAgent) =>
      Given.effect({ channel, walletOrAgent }, () => {
        const agent = agentAddress(walletOrAgent, programId)
        return accounts.fetch(AccountType.participant, Pda.participant(channel, agent, programId).address)
      }).pipe(traced("Channel.participant", at(channel))),

    messages: Accounts.listing((channel, { follow }: MessagesOptions = {}) =>
      Given.stream({ channel }, () =>
        accounts.stream(
          { type: AccountType.channelMessage, where: inChannel(channel), createdAt: ({ createdAt }) => createdAt },
          follow
        )
      ).pipe(tracedStream("Channel.messages", at(channel)))
    ),

    invitation: (channel, invitee) =>
      Given.effect({ channel, invitee }, () =>
        accounts.fetch(AccountType.invitation, Pda.invitation(channel, invitee, programId).address)
      ).pipe(traced("Channel.invitation", at(channel))),

    broadcastCompressed: (channel, input, options) =>
      Given.effect({ channel, replyTo: input.replyTo, ...input.compression }, () =>
        Effect.flatMap(member(channel), (self) => compressed.broadcast(self, input, options))
      ).pipe(traced("Channel.broadcastCompressed", at(channel))),

    joinCompressed: (channel, input, options = {}) =>
      Effect.gen(function* () {
        yield* Given.check({ channel, ...input.compression })
        const self = yield* member(channel)
        const invited = Effect.flatMap(accounts.fresh.fetch(AccountType.channel, channel), ({ account }) =>
          ownInvitation(account, channel, self.wallet)
        )
        return yield* prepare(options, READ, invited, (invitation, timeout) =>
          compressed.join({ ...self, invitation }, input, extend(options, { timeout }))
        )
      }).pipe(traced("Channel.joinCompressed", at(channel))),

    syncCompressed: (channel, input, options) =>
      Given.effect({ channel, ...input.compression }, () =>
        Effect.flatMap(member(channel), (self) => compressed.sync(self, input, options))
      ).pipe(traced("Channel.syncCompressed", at(channel)))
  })
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Channel, never, RpcPool | Transactions> = Layer.effect(Channel, make)

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Channel> => TestLayer.layer(Channel, stubs)
