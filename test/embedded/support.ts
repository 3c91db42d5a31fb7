import { Keypair, type PublicKey, SystemProgram, Transaction, type TransactionInstruction } from "@solana/web3.js"
import { lamports, type Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as RpcPool from "../../services/RpcPool.js"
import * as Address_ from "../../src/solana/Address.js"

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

/** Signs, sends and gives back the signature. */
export const send = (signers: ReadonlyArray<Keypair>, ...instructions: ReadonlyArray<TransactionInstruction>) =>
  Effect.gen(function* () {
    const pool = yield* RpcPool.RpcPool
    return yield* pool.sendTransaction(yield* signedNow(signers, ...instructions))
  })
