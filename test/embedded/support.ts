import { lamports, type Address } from "@solana/kit"
import { Keypair, type PublicKey, SystemProgram, Transaction, type TransactionInstruction } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as RpcPool from "../../services/RpcPool.js"
import * as Address_ from "../../src/solana/Address.js"
import * as Signature from "../../src/solana/Signature.js"
import * as Wire from "../../src/solana/Wire.js"

export const SOL = 1_000_000_000n

export const addressOf = (key: Keypair | PublicKey): Address =>
  Address_.fromBytes((key instanceof Keypair ? key.publicKey : key).toBytes())

/** A new key with some SOL. */
export const funded = (amount = 10n * SOL) =>
  Effect.gen(function* () {
    const pool = yield* RpcPool.RpcPool
    const key = Keypair.generate()
    yield* pool.requestAirdrop(addressOf(key), lamports(amount))
    return key
  })

/** A legacy transaction as web3.js builds and signs it. */
export const signed = (
  blockhash: string,
  signers: ReadonlyArray<Keypair>,
  ...instructions: ReadonlyArray<TransactionInstruction>
): Uint8Array => {
  const transaction = new Transaction({ blockhash, lastValidBlockHeight: 0 }).add(...instructions)
  transaction.sign(...signers)
  return Uint8Array.from(transaction.serialize())
}

/** As `signed`, with the newest blockhash. */
export const signedNow = (signers: ReadonlyArray<Keypair>, ...instructions: ReadonlyArray<TransactionInstruction>) =>
  Effect.gen(function* () {
    const pool = yield* RpcPool.RpcPool
    const { value } = yield* pool.getLatestBlockhash({ commitment: "processed" })
    return signed(value.blockhash, signers, ...instructions)
  })

export const transfer = (from: Keypair, to: PublicKey, amount: bigint): TransactionInstruction =>
  SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to, lamports: amount })

const isThereAlready = (error: { readonly _tag: string }): boolean =>
  "data" in error && Predicate.hasProperty(error.data, "err") && error.data.err === "AlreadyProcessed"

/** Signs, sends and gives back the signature. Where the pool lost an answer and sends again, the transaction is there already. */
export const send = (signers: ReadonlyArray<Keypair>, ...instructions: ReadonlyArray<TransactionInstruction>) =>
  Effect.gen(function* () {
    const pool = yield* RpcPool.RpcPool
    const wire = yield* signedNow(signers, ...instructions)
    const signature = Signature.fromBytes(wire.subarray(Wire.FIRST_SIGNATURE_AT, Wire.messageAt(1)))
    return yield* Effect.catchIf(pool.sendTransaction(wire), isThereAlready, () => Effect.succeed(signature))
  })

/** How often a call is made again that failed without an answer: one of several endpoints may lose a socket. */
const LOST = 3

/** The error of an effect that must fail with an answer of the node, whenever it gets one. */
export const refusal = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flip(effect).pipe(
    Effect.repeat({ times: LOST, while: (error) => "code" in error && error.code === undefined }),
    Effect.map((error) => {
      if (!("code" in error)) throw error
      return {
        code: error.code,
        detail: "detail" in error ? String(error.detail) : "",
        data: "data" in error ? error.data : undefined
      }
    })
  )

export const messageOf = (wire: Uint8Array) => Either.getOrThrow(Wire.decode(wire)).messageBytes

/** Does it again and again until the stream has given its first elements. */
export const hears = <A, E, E2, R, R2>(
  stream: Stream.Stream<A, E, R>,
  cause: Effect.Effect<unknown, E2, R2>,
  count = 1
): Effect.Effect<ReadonlyArray<A>, E | E2, R | R2> =>
  Effect.gen(function* () {
    const heard = yield* Effect.fork(Stream.runCollect(Stream.take(stream, count)))
    const poking = yield* Effect.fork(Effect.repeat(cause, Schedule.spaced("20 millis")))
    const elements = yield* Fiber.join(heard)
    yield* Fiber.interrupt(poking)
    return Array.from(elements)
  })
