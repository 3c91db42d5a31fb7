/** Reads the accounts and payloads of the story into one document. */
import {
  Agent,
  Channel,
  Escrow,
  Message,
  type MessageType,
  type ProgramAccount,
  ProgramId,
  RpcPool,
  SafeText
} from "@pod-protocol/effect"
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import type { Actor, Traces } from "./Story.js"

/** The transaction that created an account: the oldest one that names it. */
const madeBy = (address: Address) =>
  Effect.gen(function* () {
    const rpc = yield* RpcPool.RpcPool
    const history = yield* rpc.getSignaturesForAddress(address)
    return { signature: history.at(-1)?.signature ?? null, slot: history.at(-1)?.slot ?? 0n }
  })

const bySlot = Order.mapInput(Order.bigint, ({ slot }: { readonly slot: bigint }) => slot)

/** Accounts in the order of their creation, each with the signature that created it. */
const inOrder = <A>(accounts: ReadonlyArray<ProgramAccount.ProgramAccount<A>>) =>
  Effect.forEach(accounts, (entry) => Effect.map(madeBy(entry.address), (made) => ({ ...entry, ...made }))).pipe(
    Effect.map((made) => Arr.sort(made, bySlot))
  )

const readAgent = ({ name, wallet }: Actor) =>
  Effect.gen(function* () {
    const agents = yield* Agent.Agent
    const { account, address } = yield* agents.get(wallet.address)
    return {
      name,
      wallet: wallet.address,
      address,
      capabilities: String(account.capabilities),
      metadataUri: SafeText.make(account.metadataUri),
      reputation: String(account.reputation),
      signature: (yield* madeBy(address)).signature
    }
  })

const typeName = (type: MessageType.MessageType): string =>
  type._tag === "Custom" ? `Custom(${type.value})` : type._tag

const readOutbox = ({ wallet }: Actor) =>
  Effect.gen(function* () {
    const messages = yield* Message.Message
    const sent = yield* Stream.runCollect(messages.outbox(wallet.address))
    return yield* Effect.forEach(yield* inOrder(Chunk.toReadonlyArray(sent)), (message) =>
      Effect.gen(function* () {
        const payload = yield* messages.payload(message)
        const { type } = message.account
        return {
          address: message.address,
          sender: message.account.sender,
          recipient: message.account.recipient,
          type: typeName(type),
          status: message.account.status,
          payloadHash: Encoding.encodeHex(message.account.payloadHash),
          payload:
            type._tag === "Text" ? SafeText.make(new TextDecoder().decode(payload)) : Encoding.encodeHex(payload),
          signature: message.signature
        }
      })
    )
  })

const readChannel = (channel: Address) =>
  Effect.gen(function* () {
    const channels = yield* Channel.Channel
    const { account } = yield* channels.get(channel)
    const participants = yield* channels.participants(channel)
    const messages = yield* Stream.runCollect(channels.messages(channel))
    return {
      address: channel,
      name: SafeText.make(account.name),
      visibility: account.visibility,
      creator: account.creator,
      participants: (yield* inOrder(participants)).map(({ account: { agent, isActive } }) => ({
        agent,
        active: isActive
      })),
      messages: (yield* inOrder(Chunk.toReadonlyArray(messages))).map(({ account, address, signature }) => ({
        address,
        sender: account.sender,
        content: SafeText.make(account.content, 1000),
        replyTo: Option.getOrNull(account.replyTo),
        signature
      }))
    }
  })

const readEscrow = ({ channel, depositor }: Traces["escrows"][number]) =>
  Effect.gen(function* () {
    const escrows = yield* Escrow.Escrow
    const { account, address } = yield* escrows.get(channel, depositor)
    return { address, channel, depositor, amount: String(account.amount) }
  })

const countTransactions = (actors: ReadonlyArray<Actor>) =>
  Effect.gen(function* () {
    const rpc = yield* RpcPool.RpcPool
    const histories = yield* Effect.forEach(actors, ({ wallet }) => rpc.getSignaturesForAddress(wallet.address))
    return new Set(histories.flat().map(({ signature }) => signature)).size
  })

/** The document of a story. All its data is read from the chain and from the payload store. */
export const readBack = ({ actors, channels, escrows, refusals }: Traces) =>
  Effect.gen(function* () {
    return {
      programId: yield* ProgramId.ProgramId,
      agents: yield* Effect.forEach(actors, readAgent),
      messages: (yield* Effect.forEach(actors, readOutbox)).flat(),
      channels: yield* Effect.forEach(channels, readChannel),
      escrows: yield* Effect.forEach(escrows, readEscrow),
      refusals,
      transactions: yield* countTransactions(actors)
    }
  })
