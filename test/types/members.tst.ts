import type {
  Agent,
  Channel,
  InvalidInput,
  Message,
  ProgramAccount,
  RpcPool,
  RpcTransport,
  Transactions,
  Wallet
} from "@pod-protocol/effect"
import type { ChannelMessage, DirectMessage } from "@pod-protocol/effect/protocol/Account"
import type { Address } from "@solana/kit"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { describe, expect, test } from "tstyche"

declare const messages: Message.Service
declare const pool: RpcPool.Service
declare const address: Address

declare const channels: Channel.Service
declare const options: Message.MailboxOptions

type Inbox = Stream.Stream<ProgramAccount.ProgramAccount<DirectMessage>, ProgramAccount.FollowError>
type Mailbox = Stream.Stream<ProgramAccount.ProgramAccount<DirectMessage>, ProgramAccount.ListError>
type Said<E> = Stream.Stream<ProgramAccount.ProgramAccount<ChannelMessage>, E>

describe("lists that may be followed", () => {
  test("fail as a listing does without follow, and as a subscription may with it", () => {
    expect(messages.inbox(address)).type.toBe<Mailbox>()
    expect(messages.inbox(address, {})).type.toBe<Mailbox>()
    expect(messages.inbox(address, { follow: false })).type.toBe<Mailbox>()
    expect(messages.inbox(address, options)).type.toBe<Inbox>()
    expect(messages.inbox(address, { follow: true })).type.toBe<Inbox>()
    expect(messages.inbox(address, { follow: { resyncInterval: "10 seconds" } })).type.toBe<Inbox>()
    expect(messages.outbox(address)).type.toBe<Mailbox>()
    expect(messages.outbox(address, { follow: true })).type.toBe<Inbox>()
    expect(channels.messages(address)).type.toBe<Said<ProgramAccount.ListError>>()
    expect(channels.messages(address, { follow: true })).type.toBe<Said<ProgramAccount.FollowError>>()
    expect<Stream.Stream.Error<ReturnType<Channel.Service["messages"]>>>().type.toBe<ProgramAccount.FollowError>()
  })

  test("refuse an unknown option", () => {
    expect(messages.inbox).type.not.toBeCallableWith(address, { folow: true })
  })
})

describe("writes", () => {
  test("need a wallet when they run, not when the service is made", () => {
    expect<Effect.Effect.Context<ReturnType<Agent.Service["register"]>>>().type.toBe<Wallet.Wallet>()
    expect<Effect.Effect.Context<ReturnType<Message.Service["send"]>>>().type.toBe<Wallet.Wallet>()
    expect<Effect.Effect.Context<ReturnType<Channel.Service["join"]>>>().type.toBe<Wallet.Wallet>()
    expect<Effect.Effect.Context<ReturnType<Transactions.Service["send"]>>>().type.toBe<Wallet.Wallet>()
  })

  test("fail with what a transaction can fail with", () => {
    expect<Effect.Effect.Error<ReturnType<Transactions.Service["send"]>>>().type.toBe<Transactions.SendError>()
    expect<
      Effect.Effect.Error<ReturnType<Agent.Service["register"]>>
    >().type.toBeAssignableTo<ProgramAccount.WriteError>()
  })
})

describe("reads", () => {
  test("need nothing", () => {
    expect<Effect.Effect.Context<ReturnType<Agent.Service["get"]>>>().type.toBe<never>()
    expect<Effect.Effect.Error<ReturnType<Agent.Service["get"]>>>().type.toBeAssignableTo<ProgramAccount.ReadError>()
  })

  test("of the pool fail with an RpcError, and with InvalidInput where there is input", () => {
    expect<Effect.Effect.Error<ReturnType<RpcPool.Service["getSlot"]>>>().type.toBe<RpcTransport.RpcError>()
    expect<Effect.Effect.Error<ReturnType<RpcPool.Service["getMultipleAccounts"]>>>().type.toBe<
      InvalidInput | RpcTransport.RpcError
    >()
    expect(pool.getSlot()).type.toBeAssignableTo<Effect.Effect<bigint, RpcTransport.RpcError>>()
  })
})
