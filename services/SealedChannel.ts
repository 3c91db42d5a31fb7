/**
 * Sealed channels: broadcasts that only the participants of a channel can read. `Channel` puts open text on the chain.
 *
 * The channel's creator makes an epoch by `rotate`: a random key, wrapped to each participant. Broadcasts are sealed
 * with the key of the latest epoch. When an agent leaves or joins, the creator makes the next epoch. Former participants
 * cannot open its broadcasts, and new participants cannot open those of earlier epochs. `broadcast` refuses a key that a
 * former participant holds. `docs/privacy.md` lists the facts that stay public.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ChannelMessage } from "../src/protocol/Account.js"
import * as Pda from "../src/protocol/Pda.js"
import * as SealedBroadcast from "../src/protocol/SealedBroadcast.js"
import * as Channel from "./Channel.js"
import { extend } from "./internal/hot.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced, tracedStream } from "./internal/traced.js"
import { PayloadStore, type PayloadStoreError } from "./PayloadStore.js"
import * as Accounts from "./program/accounts.js"
import * as BroadcastNonce from "./program/broadcastNonce.js"
import * as Given from "./program/givenAddresses.js"
import * as Prepare from "./program/prepare.js"
import type { AccountReceipt, FollowError, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcPool } from "./RpcPool.js"
import * as Epochs from "./sealedchannel/epochs.js"
import * as Rotation from "./sealedchannel/rotation.js"
import * as Errors from "./sealedchannel/SealedChannelError.js"
import { type SealedError, Sealing } from "./Sealing.js"
import { type SendOptions, Transactions } from "./Transactions.js"
import { Wallet } from "./Wallet.js"

/**
 * A broadcast cannot be sealed or opened.
 *
 * - `NoEpoch`: the creator has made no epoch yet.
 * - `Outdated`: an agent that left the channel has the key of the latest epoch. The creator must rotate.
 * - `NotHolder`: the wallet does not hold the key of the epoch, because its agent joined later or had left.
 * - `NotCreator`: the wallet is not that of the channel's creator.
 * - `Malformed`: an announcement, a package or a broadcast is damaged.
 * - `Rejected`: the broadcast was changed, or copied from another message.
 *
 * @since 0.1.0
 * @category errors
 */
export const SealedChannelError = Errors.SealedChannelError

/**
 * See {@link SealedChannelError}.
 *
 * @since 0.1.0
 * @category errors
 */
export type SealedChannelError = Errors.SealedChannelError

/**
 * The errors of opening a broadcast. `PayloadStoreError` with reason `NotFound`: the store no longer has the keys of
 * the epoch.
 *
 * @since 0.1.0
 * @category errors
 */
export type OpenError = PayloadStoreError | ReadError | SealedChannelError | SealedError

/**
 * The errors of sealing a broadcast and of making an epoch.
 *
 * @since 0.1.0
 * @category errors
 */
export type SealError = OpenError | WriteError

/**
 * An epoch of a channel.
 *
 * @since 0.1.0
 * @category models
 */
export interface Epoch {
  /** From 1. */
  readonly epoch: number
  /** The wallets that hold the key. */
  readonly holders: ReadonlyArray<Address>
}

/**
 * A message of a channel with its content, or with the error of opening it.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenedMessage {
  readonly message: ProgramAccount<ChannelMessage>
  /** False for a broadcast in open text, which everybody can read. */
  readonly isSealed: boolean
  readonly content: Either.Either<string, OpenError>
}

/**
 * Options of `rotate`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RotateOptions extends SendOptions {
  /** Makes an epoch even if the latest one fits the participants, for example after a key was stolen. Default false. */
  readonly force?: boolean | undefined
}

/**
 * The operations on sealed channels.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Makes the next epoch if the participants differ from the holders of the latest key; otherwise returns the latest
   * epoch. Only the channel's creator may call it. Run it after `invite` and on a schedule. For any number of
   * participants, it stores one package and sends one broadcast. It leaves out an agent if no key can be sealed to its
   * wallet.
   *
   * The program accepts one broadcast of an agent per second: after `RateLimitExceeded`, try again.
   */
  readonly rotate: (channel: Address, options?: RotateOptions) => Effect.Effect<Epoch, SealError, Wallet>
  /**
   * As `Channel.broadcast`, sealed with the key of the latest epoch. The content has at most 618 bytes of UTF-8, or 594
   * with `replyTo`. It may contain control characters and words that the program refuses in open text. `Outdated` if a
   * former participant holds the key. An agent that leaves between this check and the landing can still read the
   * broadcast.
   */
  readonly broadcast: (
    channel: Address,
    input: Channel.BroadcastInput,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, SealError, Wallet>
  /** Opens a message with the wallet and returns its content. Open text is returned unchanged. */
  readonly open: (message: ProgramAccount<ChannelMessage>) => Effect.Effect<string, OpenError, Wallet>
  /**
   * The messages of a channel, oldest first, each with its content or with the error of opening it. Opens up to 8 at a
   * time. Leaves out announcements of epochs.
   */
  readonly messages: (
    channel: Address,
    options?: Channel.MessagesOptions
  ) => Stream.Stream<OpenedMessage, FollowError, Wallet>
}

/**
 * Broadcasts that only the participants of a channel can read.
 *
 * @example
 * ```ts
 * import { SealedChannel } from "@pod-protocol/effect"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
 * import * as Stream from "effect/Stream"
 *
 * // The creator, for as long as the channel is used
 * export const keepKeys = (channel: Address) =>
 *   Effect.flatMap(SealedChannel.SealedChannel, ({ rotate }) =>
 *     rotate(channel).pipe(
 *       Effect.catchAll((error) => Effect.logWarning(error.message)),
 *       Effect.repeat(Schedule.spaced("30 seconds"))
 *     )
 *   )
 *
 * // A participant
 * export const talk = (channel: Address) =>
 *   Effect.gen(function* () {
 *     const sealed = yield* SealedChannel.SealedChannel
 *     yield* sealed.broadcast(channel, { content: "for us alone" })
 *     yield* Stream.runForEach(sealed.messages(channel), ({ content }) => Effect.log(content))
 *   })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class SealedChannel extends Context.Tag("@pod-protocol/effect/SealedChannel")<SealedChannel, Service>() {}

const OPENED_AT_A_TIME = 8

/** The work before a send, as named in the error of a timeout. */
const READ = "the keys of its channel were read"

const epochOf = ({ epoch, wraps }: SealedBroadcast.Package): Epoch => ({
  epoch,
  holders: wraps.map(({ participant }) => participant)
})

/** Whether the package of an epoch is lost or damaged, so that another epoch must replace it. Other failures may pass. */
const isLost = ({ _tag, isRetryable }: OpenError): boolean =>
  !isRetryable && _tag !== "AccountNotFound" && _tag !== "RpcError"

type Needs = Channel.Channel | PayloadStore | RpcPool | Sealing | Transactions

/**
 * Builds the service over the services in the context, for the current `ProgramId`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, Needs> = Effect.gen(function* () {
  const accounts = yield* Accounts.make
  const channels = yield* Channel.Channel
  const payloads = yield* PayloadStore
  const sealing = yield* Sealing
  const prepare = Prepare.make(yield* Transactions)
  const epochs = Epochs.make(accounts, payloads)
  const { programId } = accounts

  const agentOf = (wallet: Address): Address => Pda.agent(wallet, programId).address
  const active = (channel: Address) =>
    Effect.map(channels.participants(channel), (all) =>
      all.flatMap(({ account: { agent, isActive } }) => (isActive ? [agent] : []))
    )

  const rotateOnce = (channel: Address, { force = false, ...options }: RotateOptions) =>
    Effect.gen(function* () {
      const { address: wallet } = yield* Wallet
      const read = Effect.gen(function* () {
        const owned = yield* epochs.owned(channel)
        if (owned.creator !== wallet) return yield* new SealedChannelError({ reason: "NotCreator", channel })
        const members = yield* Rotation.members(accounts, yield* active(channel))
        const latest = yield* epochs.latest(owned)
        const found = Effect.map(epochs.wraps(owned, latest), (wraps) => Option.some(epochOf(wraps)))
        // With `force` too: after an epoch that does not exist, the next one would leave a gap.
        const held = latest === 0 ? Option.none() : yield* Effect.catchIf(found, isLost, () => Effect.succeedNone)
        if (!force && Option.isSome(held) && Rotation.fits(held.value.holders, members))
          return { epoch: held.value, made: undefined }
        const { key, wraps } = yield* Rotation.wrap(sealing, owned, programId, latest + 1, members)
        const hash = yield* payloads.put(SealedBroadcast.encodePackage(wraps))
        return { epoch: epochOf(wraps), made: { owned, wraps, key, hash } }
      })
      return yield* prepare(options, READ, read, ({ epoch, made }, timeout) => {
        if (made === undefined) return Effect.succeed(epoch)
        const nonce = SealedBroadcast.announcementNonce(channel, epoch.epoch)
        return channels
          .broadcast(
            channel,
            { content: SealedBroadcast.announcement(made.hash), nonce },
            extend(options, { timeout, resend: false })
          )
          .pipe(Effect.zipRight(epochs.remember(made.owned, made.wraps, made.key)), Effect.as(epoch))
      })
    })

  const openWith = ({ account, address }: ProgramAccount<ChannelMessage>, content: SealedBroadcast.Content) =>
    Effect.gen(function* () {
      const { channel } = account
      switch (content._tag) {
        case "Open":
        case "Announcement":
          return account.content
        case "Malformed":
          return yield* new SealedChannelError({ reason: "Malformed", channel })
        case "Sealed": {
          const { epoch, sealed } = content
          const key = yield* epochs.key(yield* epochs.owned(channel), epoch, yield* Wallet)
          const opened = yield* sealing.decrypt(key, SealedBroadcast.messageInfo(address, epoch), sealed)
          const text = Option.isNone(opened) ? undefined : SealedBroadcast.unpad(opened.value)
          return text ?? (yield* new SealedChannelError({ reason: "Rejected", channel, epoch }))
        }
      }
    })

  return SealedChannel.of({
    rotate: (channel, options = {}) =>
      Given.effect({ channel }, () =>
        // Another process of the creator made the same epoch first, which may fit.
        Effect.catchIf(
          rotateOnce(channel, options),
          (error) => error._tag === "ProgramError" && error.reason === "DuplicateMessage",
          () => rotateOnce(channel, options)
        )
      ).pipe(traced("SealedChannel.rotate", { "pod.channel": channel })),

    broadcast: (channel, input, options = {}) =>
      Effect.gen(function* () {
        const { content, id, replyTo, type } = input
        yield* Given.check({ channel, replyTo })
        const plaintext = yield* SealedBroadcast.pad(content, replyTo !== undefined)
        const nonce = yield* BroadcastNonce.of(input)
        const wallet = yield* Wallet
        const seal = Effect.gen(function* () {
          const owned = yield* epochs.owned(channel)
          const epoch = yield* epochs.latest(owned)
          if (epoch === 0) return yield* new SealedChannelError({ reason: "NoEpoch", channel })
          const key = yield* epochs.key(owned, epoch, wallet)
          const present = new Set(yield* active(channel))
          const { wraps } = yield* epochs.wraps(owned, epoch)
          if (!wraps.every(({ participant }) => present.has(agentOf(participant)))) {
            return yield* new SealedChannelError({ reason: "Outdated", channel, epoch })
          }
          const { address } = yield* Pda.channelMessage(channel, wallet.address, nonce, programId)
          const sealed = yield* sealing.encrypt(key, SealedBroadcast.messageInfo(address, epoch), plaintext)
          return SealedBroadcast.encode({ epoch, sealed })
        })
        return yield* prepare(options, READ, seal, (content, timeout) =>
          channels.broadcast(
            channel,
            { content, nonce, replyTo, type },
            extend(options, { timeout, resend: options.resend ?? id !== undefined })
          )
        )
      }).pipe(traced("SealedChannel.broadcast", { "pod.channel": channel })),

    open: (message) =>
      openWith(message, SealedBroadcast.decode(message.account.content)).pipe(
        traced("SealedChannel.open", { "pod.channel": message.account.channel })
      ),

    messages: (channel, options) =>
      channels.messages(channel, options).pipe(
        Stream.map((message) => ({ message, read: SealedBroadcast.decode(message.account.content) })),
        Stream.filter(({ read }) => read._tag !== "Announcement"),
        Stream.mapEffect(
          ({ message, read }) =>
            Effect.map(Effect.either(openWith(message, read)), (content): OpenedMessage => ({
              message,
              isSealed: read._tag !== "Open",
              content
            })),
          { concurrency: OPENED_AT_A_TIME }
        ),
        tracedStream("SealedChannel.messages", { "pod.channel": channel })
      )
  })
})

/**
 * {@link make} as a layer.
 *
 * @example
 * ```ts
 * import { PayloadStore, Pod, SealedChannel } from "@pod-protocol/effect"
 * import * as SealingNode from "@pod-protocol/effect/layers/SealingNode"
 * import * as Layer from "effect/Layer"
 *
 * export const PodLive = SealedChannel.layer.pipe(
 *   Layer.provideMerge(Pod.layer({ url: "http://127.0.0.1:8899" })),
 *   Layer.provide([SealingNode.layer, PayloadStore.layerMemory])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<SealedChannel, never, Needs> = Layer.effect(SealedChannel, make)

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<SealedChannel> => TestLayer.layer(SealedChannel, stubs)
