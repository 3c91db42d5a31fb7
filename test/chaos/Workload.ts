import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import * as Transactions from "../../services/Transactions.js"
import type * as Wallet from "../../services/Wallet.js"
import { as, METADATA_URI } from "../support/agents.js"
import * as Network from "./Network.js"

/** A sender's final result. A resumed transaction does not return the address. */
export type Told =
  | { readonly _tag: "Landed"; readonly address?: Address }
  | { readonly _tag: "Failed"; readonly error: Message.SendError }

/** A message to send once, identified by its text. */
export interface Sent {
  readonly text: string
  readonly told: Told
}

/** Concurrent single sends of an agent. */
const CONCURRENCY = 16
/** Messages of one packed send of an agent. */
const TOGETHER = 50

/** A timeout at which many outcomes are still unknown, so that they are resumed. */
const IMPATIENT = "500 millis"

/** Lamports for an agent, and for the rent and the fees of its messages, with some resends. */
const lamportsFor = (messages: number): bigint => 1_000_000_000n + BigInt(messages) * 3_000_000n

/** Registers agents that can send this many messages. It uses a network without faults. */
export const agents = (count: number, messages: number) =>
  Effect.gen(function* () {
    const { fundedWith } = yield* TestWallets.TestWallets
    const { register } = yield* Agent.Agent
    const wallets = yield* Effect.replicateEffect(fundedWith(lamportsFor(messages)), count)
    // The accounts are confirmed two slots later.
    yield* Network.slots(3)
    yield* Effect.forEach(wallets, (wallet) => register({ metadataUri: METADATA_URI }).pipe(as(wallet)), {
      concurrency: "unbounded"
    })
    // Endpoints that are 32 slots behind then have the accounts.
    yield* Network.slots(34)
    return wallets
  }).pipe(Effect.orDie)

const isUnconfirmed = (error: Message.SendError): error is Transactions.TransactionError =>
  error._tag === "TransactionError" && error.reason === "Unconfirmed"

const isUnsent = (error: Message.SendError): boolean => error._tag === "RpcError" && error.reason === "Timeout"

/** Continues a transaction until its outcome is known. */
const resume = (
  unconfirmed: Transactions.TransactionError
): Effect.Effect<Transactions.Receipt, Transactions.SendError, Transactions.Transactions> =>
  Effect.flatMap(Transactions.Transactions, (transactions) =>
    transactions.resume(unconfirmed).pipe(
      Effect.catchIf(
        (error) => error._tag === "RpcError" || isUnconfirmed(error),
        () => Effect.delay(resume(unconfirmed), Network.SLOT_MILLIS)
      )
    )
  )

/** Sends, and continues until the outcome is known. */
export const untilKnown = <R>(
  sending: Effect.Effect<Transactions.Receipt, Transactions.SendError, R>
): Effect.Effect<Transactions.Receipt, Transactions.SendError, R | Transactions.Transactions> =>
  Effect.catchIf(sending, isUnconfirmed, resume)

/** Waits for the final result of this text. */
const settle = (
  text: string,
  result: Either.Either<Message.MessageReceipt, Message.SendError>
): Effect.Effect<Sent, never, Transactions.Transactions> => {
  const failed = (error: Message.SendError): Sent => ({ text, told: { _tag: "Failed", error } })
  if (Either.isRight(result)) {
    return Effect.succeed({ text, told: { _tag: "Landed", address: result.right.address } })
  }
  return isUnconfirmed(result.left)
    ? Effect.match(resume(result.left), {
        onFailure: failed,
        onSuccess: (): Sent => ({ text, told: { _tag: "Landed" } })
      })
    : Effect.succeed(failed(result.left))
}

const inputOf = (text: string, recipient: Address, index: number): Message.SendInput => ({
  recipient,
  payload: text,
  raw: index % 5 === 0
})

/** One agent sends half of the texts singly and half of them packed; packed ones are signed again when they expire. */
const sendAll = (texts: ReadonlyArray<string>, recipient: Address) =>
  Effect.gen(function* () {
    const messages = yield* Message.Message
    const inputs = texts.map((text, index) => ({ text, input: inputOf(text, recipient, index) }))
    const [single, together] = Arr.splitAt(inputs, Math.ceil(inputs.length / 2))
    const one = Effect.forEach(
      single,
      ({ input, text }) =>
        messages.send(input, { timeout: IMPATIENT }).pipe(
          // Nothing was sent: the time ran out during a wait for a blockhash or during signing.
          Effect.retry({ while: isUnsent, schedule: Schedule.spaced(Network.SLOT_MILLIS) }),
          Effect.either,
          Effect.flatMap((result) => settle(text, result))
        ),
      { concurrency: CONCURRENCY }
    )
    const many = Effect.forEach(Arr.chunksOf(together, TOGETHER), (chunk) =>
      Effect.gen(function* () {
        const results = yield* messages.sendAll(
          chunk.map(({ input }) => input),
          { retryExpired: 3 }
        )
        const told = Arr.zipWith(chunk, results, ({ text }, result) => settle(text, result))
        return yield* Effect.all(told, { concurrency: "unbounded" })
      })
    )
    return [...(yield* one), ...(yield* many).flat()]
  })

/** All agents send concurrently, each to the next one, and continue until each outcome is known. */
export const run = (wallets: ReadonlyArray<Wallet.Service>, count: number) =>
  Effect.map(
    Effect.forEach(
      wallets,
      (wallet, sender) => {
        const texts = Arr.makeBy(count, (index) => `message ${index} of ${count}`).filter(
          (_, index) => index % wallets.length === sender
        )
        const recipient = (wallets[(sender + 1) % wallets.length] ?? wallet).address
        return sendAll(texts, recipient).pipe(as(wallet))
      },
      { concurrency: "unbounded" }
    ),
    Arr.flatten
  )
